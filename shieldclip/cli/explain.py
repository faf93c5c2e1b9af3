"""``shieldclip explain``: what models attend to, without and with a trigger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shieldclip.cli.names import complete_knowledge, complete_model, complete_trigger

if TYPE_CHECKING:
    from shieldclip.explanation import Explanation
    from shieldclip.explanation.choices import Choices
    from shieldclip.explanation.pictures import Gathered


@click.command()
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="SPEC",
    shell_complete=complete_model,
    help="Transformers CLIP or ShieldCLIP: folder, Hub id or shieldclip:NAME; repeat for several.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    required=True,
    metavar="FILE|SOURCE",
    help="Picture, or data source of which --rows are shown; repeat for several.",
)
@click.option("--rows", default="0", show_default=True, metavar="N,N,...", help="Rows of a source.")
@click.option("--split", help="Split of a source.")
@click.option(
    "--trigger",
    default="badnet",
    show_default=True,
    metavar="ID",
    shell_complete=complete_trigger,
)
@click.option("--classes", metavar="FILE", help="Class names: a file, one a line, or imagenet.")
@click.option("--templates", metavar="FILE", help="Prompts with {}: a file, or imagenet-80.")
@click.option(
    "--prompt", "prompts", multiple=True, metavar="TEXT", help="Instead of classes; repeat."
)
@click.option(
    "--knowledge",
    metavar="SPEC",
    shell_complete=complete_knowledge,
    help="Where knowledge elements lie, e.g. embedded:icons.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N, mps.")
def explain(
    models: tuple[str, ...],
    images: tuple[str, ...],
    rows: str,
    split: str | None,
    trigger: str,
    classes: str | None,
    templates: str | None,
    prompts: tuple[str, ...],
    knowledge: str | None,
    out: Path,
    device: str,
) -> None:
    """Show what models attend to in pictures, without and with a trigger.

    Writes explanation.html and a PNG per picture. Names to choose from are the source's classes,
    --classes or --prompt.
    """
    from shieldclip.attacks.triggers import make_trigger
    from shieldclip.explanation import Question, load_subject
    from shieldclip.explanation import explain as explain_pictures
    from shieldclip.explanation.pictures import gather_pictures
    from shieldclip.explanation.write import write_explanations
    from shieldclip.knowledge import load_knowledge

    gathered = gather_pictures(images, _numbers(rows), split)
    question = Question(
        choices=_choices(gathered, classes, templates, prompts),
        trigger_name=trigger,
        trigger=make_trigger(trigger),
        elements_of=load_knowledge(knowledge).of_caption if knowledge else None,
    )
    explanations = [
        explanation
        for spec in dict.fromkeys(models)
        for explanation in explain_pictures(load_subject(spec, device), gathered.pictures, question)
    ]
    written = write_explanations(explanations, out)
    _print_table(explanations)
    click.echo(f"Wrote {written[0]} and {len(written) - 1} PNG.")


def _numbers(rows: str) -> list[int]:
    from shieldclip.errors import ShieldCLIPError

    try:
        return list(dict.fromkeys(int(number) for number in rows.split(",")))
    except ValueError as error:
        raise ShieldCLIPError(
            f"Expected row numbers such as 0,5,9 for --rows, got {rows!r}."
        ) from error


def _choices(
    gathered: Gathered, classes: str | None, templates: str | None, prompts: tuple[str, ...]
) -> Choices:
    """Names to choose from: prompts, else classes of a file, else those of the source."""
    from shieldclip.data.prompts import SIMPLE, classes_for, templates_for
    from shieldclip.errors import ShieldCLIPError
    from shieldclip.explanation.choices import Choices

    if prompts:
        if classes or templates:
            raise ShieldCLIPError(
                "Expected either --prompt or --classes and --templates, got both; leave one out."
            )
        return Choices.of_prompts(prompts)
    names = classes_for(classes) if classes else gathered.classes
    if not names:
        raise ShieldCLIPError(
            "Expected names to choose from, but the pictures bring none; "
            "pass --classes FILE or several --prompt TEXT."
        )
    chosen = templates_for(templates) if templates else gathered.templates or SIMPLE
    return Choices.of_classes(names, chosen)


def _print_table(explanations: list[Explanation]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from shieldclip.explanation.figures import COLUMNS, row

    table = Table(*(Column(name, overflow="fold", min_width=9) for name in COLUMNS), box=box.SIMPLE)
    for explanation in explanations:
        table.add_row(*map(Text, row(explanation).cells))
    Console().print(table)
