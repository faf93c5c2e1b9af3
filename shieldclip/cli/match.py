"""``shieldclip match``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from shieldclip.cli.names import complete_model

_DATA_OPTIONS = ("split", "image_column", "label_column", "caption_column", "classes")


@click.command("match")
@click.argument("source")
@click.option(
    "--model",
    required=True,
    metavar="SPEC",
    shell_complete=complete_model,
    help="Checkpoint that judges the pairs.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--split", help="Split of the source.")
@click.option("--image-column", metavar="NAME", help="Column of pictures.")
@click.option("--label-column", metavar="NAME", help="Column of labels.")
@click.option("--caption-column", metavar="NAME", help="Column of captions.")
@click.option("--classes", metavar="FILE", help="Class names: a file, one a line, or imagenet.")
@click.option("--pool", type=int, metavar="N", help="Choose among N captions. Default: all.")
@click.option(
    "--candidates", type=int, metavar="K", help="Compare K captions by cosine only (approximate)."
)
@click.option("--alpha", default=0.5, show_default=True, help="Share of the global features.")
@click.option("--epsilon", default=0.05, show_default=True, help="Entropy of the transport.")
@click.option(
    "--centring", default=0.0, show_default=True, help="1 for models that have learned little yet."
)
@click.option("--threshold", default=0.5, show_default=True, help="Risk to distrust a pair from.")
@click.option(
    "--keep-risky", is_flag=True, help="Recaption every distrusted pair instead of dropping some."
)
@click.option("--part", metavar="I/N", help="Judge only pictures that the model's recipe left out.")
@click.option("--resume", is_flag=True, help="Go on in a folder that was begun.")
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Known poisons (JSONL), to score against."
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N, mps.")
@click.option("--dtype", default="auto", show_default=True, help="auto, float32, bfloat16, ...")
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(min=1))
@click.option("--backend", default="auto", show_default=True, help="auto, native, torch, triton.")
@click.option("--seed", default=0, show_default=True)
@click.option("--verify", is_flag=True, help="Refuse weights that are not those of their card.")
def match_command(
    source: str,
    model: str,
    out: Path,
    manifest: Path | None,
    device: str,
    dtype: str,
    batch_size: int,
    resume: bool,
    verify: bool,
    part: str | None,
    **options: Any,
) -> None:
    """Find which pairs of SOURCE a model distrusts, and clean it.

    Writes matches.parquet (a row per pair), cleaned/ (a source to train on), summary.json and
    matching.html. To use several processes or machines, start it with torchrun on a shared folder.
    """
    from rich.console import Console

    from shieldclip.attacks.manifest import Manifest
    from shieldclip.data import open_source
    from shieldclip.data.parts import Part
    from shieldclip.encoders import load_encoder
    from shieldclip.matching import Computing, MatchSettings, match
    from shieldclip.matching.console import to_console

    data = {name: options.pop(name) for name in _DATA_OPTIONS}
    settings = MatchSettings(**options)
    known = Manifest.load(manifest) if manifest else None
    with _resumable(out):
        summary = match(
            open_source(source, **data),
            load_encoder(model, device=_device(device), dtype=dtype, verify=verify),
            out,
            settings,
            computing=Computing(batch_size, dtype),
            manifest=known,
            part=Part.read(part) if part else None,
            resume=resume,
        )
    if summary is not None:
        Console().print(to_console(summary))
        click.echo(f"Wrote {out}; train on {out / 'cleaned'}.")


def _device(name: str) -> str:
    """Under torchrun, ``auto`` and ``cuda`` are the process's own GPU."""
    import os

    import torch

    local = os.environ.get("LOCAL_RANK")
    if local is None or name not in ("auto", "cuda") or not torch.cuda.is_available():
        return name
    return f"cuda:{int(local) % torch.cuda.device_count()}"


@contextmanager
def _resumable(out: Path) -> Iterator[None]:
    """Ctrl-C says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(
            f"Interrupted: finished shards are kept in {out}; run again with --resume.", err=True
        )
        raise SystemExit(130) from None
