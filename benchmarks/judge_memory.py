"""The memory of the judging that rank 0 does, for docs/scale.md.

    python benchmarks/judge_memory.py [--pairs 80000] [--words 11] [--json]

`judge_bytes_per_pair`: how much the process grows from its imports to its peak, captions and
distances included. Captions are made up, all different; one pair in fifty has a wide gap.
"""

from __future__ import annotations

import json
import resource
import sys

import click
import sklearn.mixture  # noqa: F401 - what judging imports is not counted
import torch

from shieldclip.matching.judge import Distances, judge
from shieldclip.matching.pairs import Pairs
from shieldclip.matching.settings import MatchSettings

VOCABULARY = 5000


def make_pairs(count: int, words: int, draw: torch.Generator) -> Pairs:
    """Captions of random words and, so that they differ, a number."""
    places = torch.randint(VOCABULARY, (count, words - 1), generator=draw)
    return Pairs.of(
        [[" ".join(f"word{p}" for p in of.tolist()) + f" {n}"] for n, of in enumerate(places)]
    )


def make_distances(count: int, draw: torch.Generator) -> Distances:
    """Clean gaps up to 0.02, wide ones of 0.3."""
    best = 0.5 + 0.05 * torch.randn(count, generator=draw)
    gap = (0.04 * torch.rand(count, generator=draw) - 0.02).clamp_min(0)
    gap[::50] = 0.3 + 0.05 * torch.randn(len(gap[::50]), generator=draw)
    return Distances(best + gap, best, torch.randint(count, (count,), generator=draw))


def peak() -> int:
    """Bytes that the process has held at most."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else 1024 * held


@click.command()
@click.option("--pairs", default=80_000, show_default=True)
@click.option("--words", default=11, show_default=True, help="Of a caption.")
@click.option("--json", "as_json", is_flag=True)
def main(pairs: int, words: int, as_json: bool) -> None:
    """Measure what judging takes."""
    before, draw = peak(), torch.Generator().manual_seed(0)
    judge(make_pairs(pairs, words, draw), make_distances(pairs, draw), MatchSettings())
    taken = (peak() - before) / pairs
    if as_json:
        click.echo(json.dumps({"pairs": pairs, "words": words, "judge_bytes_per_pair": taken}))
    else:
        click.echo(f"{'judge_bytes_per_pair':24}{taken:,.0f}")


if __name__ == "__main__":
    main()
