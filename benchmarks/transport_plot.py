"""Cost per image against the size of the pool, as `transport.py --plot` draws it."""

from __future__ import annotations

import click
from synthetic_features import LEVELS, draw
from torch import Tensor
from turns import cpu_seconds

from shieldclip.transport import Bags, nearest_captions

POOLS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
"""Captions, for the plot."""


def milliseconds(patches: Tensor, captions: Bags) -> float:
    """Processor time of an image: the least of five searches, of one where they take long."""
    spent: list[float] = []
    while len(spent) < 5 and sum(spent) < 1:
        spent.append(cpu_seconds(lambda: nearest_captions(patches, captions)))
    return 1000 * min(spent) / len(patches)


def draw_scaling(file: str) -> None:
    """Cost per image of 16 images against pools of 1e3 to 1e6 captions of 64-wide features.

    The largest pool takes 2.6 GB, and drawing it as long as all searches together.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 4))
    for level in LEVELS:
        patches, captions = draw(level, 16, POOLS[-1], width=64)
        spent = []
        for size in POOLS:
            end = captions.offsets[size]
            pool = Bags(captions.features[:end], captions.offsets[: size + 1])
            spent.append(milliseconds(patches, pool))
            click.echo(f"{level}, {size} captions: {spent[-1]:.2f} ms an image", err=True)
        axes.loglog(POOLS, spent, marker="o", label=level)
        del captions, pool
    axes.loglog(POOLS, [spent[-1] * size / POOLS[-1] for size in POOLS], ":", label="in proportion")
    axes.set(xlabel="captions", ylabel="milliseconds an image, one core")
    axes.legend()
    figure.tight_layout()
    figure.savefig(file, dpi=120)
