"""``shieldclip choose-poisons``: pairs and a model -> the rows a defence would suspect least."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shieldclip.cli.names import complete_knowledge, complete_model, complete_trigger

_DATA_OPTIONS = ("split", "image_column", "label_column", "caption_column", "classes")


@click.command("choose-poisons")
@click.argument("source")
@click.option(
    "--model",
    required=True,
    metavar="SPEC",
    shell_complete=complete_model,
    help="The attacker's model.",
)
@click.option("--target", required=True, metavar="NAME", help="Class, or word of captions.")
@click.option(
    "--trigger",
    required=True,
    metavar="ID",
    shell_complete=complete_trigger,
    help="Trigger on the poisoned pictures.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write (JSON).")
@click.option(
    "--against",
    default="both",
    show_default=True,
    metavar="knowledge|matching|both",
    help="What the defence looks at.",
)
@click.option(
    "--knowledge",
    metavar="FILE",
    shell_complete=complete_knowledge,
    help="The defender's: a knowledge file or embedded:icons.",
)
@click.option(
    "--form",
    "forms",
    multiple=True,
    metavar="swap|append|describe",
    help="How captions are written; repeat for several. Default: all.",
)
@click.option("--among", default=4096, show_default=True, help="Pictures to choose among.")
@click.option("--pool", default=16_384, show_default=True, help="Captions that they are judged by.")
@click.option(
    "--candidates", default=64, show_default=True, help="Of these, compared by transport."
)
@click.option(
    "--alpha", default=0.5, show_default=True, help="The defender's share of global features."
)
@click.option(
    "--epsilon", default=0.05, show_default=True, help="The defender's entropy of the transport."
)
@click.option("--split", help="Split of the source.")
@click.option("--image-column", metavar="NAME", help="Column of pictures.")
@click.option("--label-column", metavar="NAME", help="Column of labels.")
@click.option("--caption-column", metavar="NAME", help="Column of captions.")
@click.option("--classes", metavar="FILE", help="Class names: a file, one a line, or imagenet.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N, mps.")
@click.option("--dtype", default="auto", show_default=True, help="auto, float32, bfloat16, ...")
@click.option("--batch-size", default=64, show_default=True)
@click.option("--seed", default=0, show_default=True)
def choose_poisons_command(
    source: str,
    model: str,
    trigger: str,
    out: Path,
    knowledge: str | None,
    forms: tuple[str, ...],
    device: str,
    dtype: str,
    **options: Any,
) -> None:
    """Choose the pairs of SOURCE to poison by what a defence would say of them.

    The file is for a recipe with `poison: adaptive-knowledge`, `adaptive-matching` or
    `adaptive-both`, and `file: FILE`, for the same data, target and trigger.
    """
    from shieldclip.adversary.choice import ChoiceSettings, choose_poisons
    from shieldclip.attacks.triggers import make_trigger
    from shieldclip.data import open_source
    from shieldclip.encoders import load_encoder
    from shieldclip.knowledge import load_knowledge

    data = {name: options.pop(name) for name in _DATA_OPTIONS}
    if forms:
        options["forms"] = forms
    settings = ChoiceSettings(**options)
    choice = choose_poisons(
        open_source(source, **data),
        load_encoder(model, device=device, dtype=dtype),
        make_trigger(trigger),
        settings,
        load_knowledge(knowledge) if knowledge else None,
    )
    choice.save(out)
    click.echo(f"Ordered {len(choice.rows)} pictures for {choice.poison!r}; wrote {out}.")
