"""``shieldclip knowledge``: what can be seen of every class or caption of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shieldclip.cli.names import complete_knowledge_source

if TYPE_CHECKING:
    from shieldclip.data import Source


@click.command()
@click.argument("source")
@click.option(
    "--from",
    "origin",
    required=True,
    metavar="lm|server|wordnet|file",
    shell_complete=complete_knowledge_source,
    help="Where the knowledge comes from.",
)
@click.option(
    "--model",
    default="",
    metavar="NAME",
    help="lm: Hub id, folder or folder/file.gguf; server: its name there; wordnet: folder of its "
    "files; file: a knowledge file or embedded:icons.",
)
@click.option("--base-url", default="", metavar="URL", help="Address of a server, with /v1.")
@click.option("--prompt", metavar="NAME", help="Default: objects-v1 for classes, else captions-v1.")
@click.option("--chat", is_flag=True, help="Ask a language model through its chat template.")
@click.option("--batch-size", default=16, show_default=True, type=click.IntRange(min=1))
@click.option("--device", default="cpu", show_default=True, help="Where a language model runs.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder that keeps answers.")
@click.option("--split", help="Split of the source.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="File to write: .parquet, .jsonl or .json.",
)
def knowledge(
    source: str,
    origin: str,
    prompt: str | None,
    cache: Path | None,
    split: str | None,
    out: Path,
    **options: Any,
) -> None:
    """Write knowledge elements for the classes of SOURCE, or for its captions if it has none.

    Answers of models are kept: the same command, run again after an interruption, goes on.
    """
    from shieldclip.data import open_source
    from shieldclip.knowledge import check_format, collect, write_rows
    from shieldclip.knowledge.cache import default_cache
    from shieldclip.knowledge.sources import SourceOptions, make_source

    check_format(out)
    opened = open_source(source, split=split)
    chosen = SourceOptions(
        prompt=prompt or ("objects-v1" if opened.classes else "captions-v1"),
        cache=cache or default_cache(),
        **options,
    )
    rows, summary = collect(_texts(opened), make_source(origin, chosen))
    write_rows(rows, out)
    click.echo(f"{summary}\nWrote {out}.")


def _texts(opened: Source) -> list[str]:
    """Class names, or else all captions."""
    from shieldclip.errors import ShieldCLIPError

    texts = list(opened.classes) or [text for captions in opened.captions for text in captions]
    if not texts:
        raise ShieldCLIPError(
            f"Expected class names or captions in {opened.source!r}, got neither; name their "
            "columns or add captions."
        )
    return texts
