"""``shieldclip optimize-trigger``: a checkpoint and pictures -> a patch file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shieldclip.cli.names import complete_model

_DATA_OPTIONS = ("split", "image_column", "label_column", "caption_column", "classes")


@click.command("optimize-trigger")
@click.option(
    "--model",
    required=True,
    metavar="SPEC",
    shell_complete=complete_model,
    help="Checkpoint to attack, a clean one.",
)
@click.option("--data", "source", required=True, metavar="SOURCE", help="Pictures to stamp.")
@click.option("--target", required=True, metavar="NAME", help="Class, or word of captions.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option("--split", help="Split of the data.")
@click.option("--image-column", metavar="NAME", help="Column of pictures.")
@click.option("--label-column", metavar="NAME", help="Column of labels.")
@click.option("--caption-column", metavar="NAME", help="Column of captions.")
@click.option("--classes", metavar="FILE", help="Class names: a file, one a line, or imagenet.")
@click.option("--steps", default=200, show_default=True, help="Steps of Adam.")
@click.option("--batch-size", default=64, show_default=True)
@click.option("--learning-rate", default=0.05, show_default=True, help="For pixels in [0, 1].")
@click.option("--validation", default=0.2, show_default=True, help="Share of pictures held out.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N, mps.")
@click.option("--dtype", default="auto", show_default=True, help="auto, float32, bfloat16, ...")
@click.option("--seed", default=0, show_default=True)
def optimize_trigger(
    model: str, source: str, target: str, out: Path, device: str, dtype: str, **options: Any
) -> None:
    """Optimise a centred patch that a clean model takes for the target, as BadCLIP does.

    The file is a trigger wherever one is named: badclip:FILE.
    """
    from shieldclip.adversary.patch import PatchSettings, find_patch
    from shieldclip.attacks.triggers.badclip import save_patch
    from shieldclip.data import open_source
    from shieldclip.encoders import load_encoder

    data = {name: options.pop(name) for name in _DATA_OPTIONS}
    settings = PatchSettings(**options)
    encoder = load_encoder(model, device=device, dtype=dtype)
    found = find_patch(open_source(source, **data), encoder, target, settings)
    save_patch(found.pixels, found.facts, out)
    click.echo(
        f"Of {found.reach.pictures} held-out pictures {found.reach.success:.1%} are taken for "
        f"{target!r}, with random patches {found.control.success:.1%}; the mean lead of its cosine "
        f"is {found.reach.lead:+.3f}, with random patches {found.control.lead:+.3f}. Wrote {out}."
    )
    click.echo(f"Measure it on other pictures: shieldclip eval --trigger badclip:{out}")
