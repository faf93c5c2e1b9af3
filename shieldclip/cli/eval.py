"""``shieldclip eval``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shieldclip.cli.names import complete_model, complete_suite, complete_trigger

if TYPE_CHECKING:
    from shieldclip.evaluation.report import EvalReport

_DATA_OPTIONS = ("split", "image_column", "label_column", "caption_column", "classes", "templates")


@click.command("eval")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="SPEC",
    shell_complete=complete_model,
    help="Checkpoint; repeat for several. Default: all shipped ones.",
)
@click.option("--data", "source", metavar="SOURCE", help="Data instead of the suite's own.")
@click.option("--split", help="Split of the data.")
@click.option("--image-column", metavar="NAME", help="Column of pictures.")
@click.option("--label-column", metavar="NAME", help="Column of labels.")
@click.option("--caption-column", metavar="NAME", help="Column of captions.")
@click.option("--classes", metavar="FILE", help="Class names: a file, one a line, or imagenet.")
@click.option(
    "--templates", metavar="FILE", help="Prompts with {}: a file, one a line, or imagenet-80."
)
@click.option(
    "--suite",
    default="quick",
    show_default=True,
    metavar="NAME|FILE",
    shell_complete=complete_suite,
    help="What to measure.",
)
@click.option("--target", metavar="NAME|all", help="Target class, or all to try every one.")
@click.option(
    "--trigger",
    "triggers",
    multiple=True,
    metavar="ID",
    shell_complete=complete_trigger,
    help="Trigger instead of the suite's; repeat for several.",
)
@click.option("--manifest", type=click.Path(path_type=Path), help="Poisons of the data (JSONL).")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for reports and finished cells; run again to resume.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N, mps.")
@click.option("--dtype", default="auto", show_default=True, help="auto, float32, bfloat16, ...")
@click.option("--batch-size", type=click.IntRange(min=1), help="Default: found automatically.")
@click.option("--seed", default=0, show_default=True)
@click.option("--verify", is_flag=True, help="Refuse weights that are not those of their card.")
@click.option(
    "--fail-above",
    type=float,
    metavar="X",
    help="Exit with 1 if an attack beats its control by more than X, e.g. 0.05.",
)
@click.option("--json", "form", flag_value="json", help="Print the report as JSON.")
@click.option("--markdown", "form", flag_value="markdown", help="Print the report as Markdown.")
def eval_command(
    source: str | None,
    fail_above: float | None,
    form: str | None,
    models: tuple[str, ...],
    out: Path | None,
    **options: Any,
) -> None:
    """Measure checkpoints against backdoors and poisoning."""
    from shieldclip.encoders import zoo_models
    from shieldclip.evaluation.request import EvalRequest
    from shieldclip.evaluation.run import evaluate
    from shieldclip.evaluation.verdict import exceeds
    from shieldclip.evaluation.write import write_reports

    data = {name: options.pop(name) for name in _DATA_OPTIONS} | {"source": source}
    request = EvalRequest(
        models=models or tuple(f"shieldclip:{model.name}" for model in zoo_models()),
        data={name: value for name, value in data.items() if value is not None},
        out=out,
        **options,
    )
    with _resumable(out):
        report = evaluate(request)
    if out is not None:
        write_reports(report, out)
    _print(report, form)
    if fail_above is not None and exceeds(report, fail_above):
        raise SystemExit(1)


def _print(report: EvalReport, form: str | None) -> None:
    """To standard output, as asked; progress and messages go to standard error."""
    from rich.console import Console

    from shieldclip.evaluation.console import to_console
    from shieldclip.evaluation.markdown import to_markdown

    if form == "json":
        click.echo(report.to_json())
    elif form == "markdown":
        click.echo(to_markdown(report))
    else:
        Console().print(to_console(report))


@contextmanager
def _resumable(out: Path | None) -> Iterator[None]:
    """Ctrl-C says what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        kept = (
            f"finished cells are kept in {out}; run the same command again to go on."
            if out
            else "nothing is kept; with --out DIR finished cells would be."
        )
        click.echo(f"Interrupted: {kept}", err=True)
        raise SystemExit(130) from None
