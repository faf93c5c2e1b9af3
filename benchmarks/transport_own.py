"""The search against itself: by brute force, by instruction set, and in memory.

    python benchmarks/transport_own.py [--json] [--repeats 5]

`transport.py` prints the same at its end. One thread, synthetic features, processor time in turns;
drawing 100,000 captions, three times, takes a third of the time. Three tables:

- Brute force: 64 images against 100,000 captions, and the same search with all captions as
  candidates, which begins to solve every pair. That is for 8 images: an image costs as much among
  many. It favours brute force that a solver still gives up the beaten, mostly after 7 iterations;
  to its cost, it multiplies pair by pair. At least 2.5 is wanted at ε 0.05. `argmin`: images for
  which both find the same caption.
- Instruction sets, all that run here: µs a pair of the search of 64 images among 1,000 captions,
  and of the solver alone (easy, ε 0.05; to the finer tolerance that a winner gets, too). At least
  half of AVX-512's solver speed is wanted of AVX2's.
- Memory beyond features, in MB, see `search_memory.py`. At most 16 is wanted of `search`, and the
  same for every pool.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import click
import torch
from instruction_sets import CAPTIONS, IMAGES, Instructions, compare_instructions, reference
from search_memory import Memory, memory_of
from synthetic_features import LEVELS, draw
from torch import Tensor
from turns import ratio, take_turns

from shieldclip.transport import Bags, Nearest, nearest_captions
from shieldclip.transport.native import library

EPSILONS = (0.05, 0.1)
POOL, FEW_IMAGES = 100_000, 8


@dataclass(frozen=True)
class Brute:
    """Of one set of features at one ε: µs a pair of the search and of brute force."""

    features: str
    epsilon: float
    microseconds: float
    brute_microseconds: float
    ratio: float
    same: float


@dataclass(frozen=True)
class Own:
    """All that is compared."""

    brute: list[Brute]
    instructions: list[Instructions]
    memory: list[Memory]


def brute_force(patches: Tensor, captions: Bags, epsilon: float) -> Nearest:
    """The search with every caption as a candidate."""
    every = torch.arange(len(captions)).expand(len(patches), -1)
    return nearest_captions(patches, captions, epsilon=epsilon, candidates=every)


def brute_row(level: str, patches: Tensor, captions: Bags, epsilon: float, repeats: int) -> Brute:
    """The search for all images, brute force for a few."""
    few = patches[:FEW_IMAGES]
    found = nearest_captions(few, captions, epsilon=epsilon)
    every = brute_force(few, captions, epsilon)
    works: dict[str, Callable[[], object]] = {
        "search": lambda: nearest_captions(patches, captions, epsilon=epsilon),
        "brute": lambda: brute_force(few, captions, epsilon),
    }
    spent = take_turns(works, repeats)
    ours = [seconds / len(patches) / len(captions) for seconds in spent["search"]]
    brute = [seconds / len(few) / len(captions) for seconds in spent["brute"]]
    return Brute(
        features=level,
        epsilon=epsilon,
        microseconds=1e6 * statistics.median(ours),
        brute_microseconds=1e6 * statistics.median(brute),
        ratio=ratio(brute, ours),
        same=float((found.index == every.index).float().mean()),
    )


def brute_rows(repeats: int) -> Iterator[Brute]:
    """Every level at every ε; one pool at a time, which takes 1 GB."""
    for level in LEVELS:
        patches, captions = draw(level, IMAGES, POOL)
        for epsilon in EPSILONS:
            yield brute_row(level, patches, captions, epsilon, repeats)


def compare(repeats: int) -> Own | None:
    """All figures; None, and a word why, where there is no compiled kernel."""
    if not library.available():
        click.echo("The kernel is not compiled: not compared with itself.", err=True)
        return None
    instructions = compare_instructions(repeats)
    click.echo("instruction sets compared", err=True)
    brute = []
    for row in brute_rows(repeats):
        brute.append(row)
        click.echo(json.dumps(asdict(row)), err=True)
    return Own(brute, instructions, [memory_of(pool) for pool in (CAPTIONS, POOL)])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of one width."""
    return "\n".join("  ".join(f"{cell:>13}" for cell in row) for row in (head, *rows))


def as_text(own: Own) -> str:
    """Three tables."""
    brute = [
        [row.features, f"{row.epsilon}", f"{row.microseconds:.2f}", f"{row.brute_microseconds:.2f}",
         f"{row.ratio:.1f}x", f"{row.same:.0%}"]
        for row in own.brute
    ]  # fmt: skip
    instructions = [
        [row.name, f"{row.easy:.2f}", f"{row.hard:.2f}", f"{row.solver:.2f}", f"{row.share:.2f}"]
        for row in reversed(own.instructions)
    ]
    memory = [
        [f"{row.captions:,}", f"{row.counted:.1f}", f"{row.search:.1f}", f"{row.whole_call:.1f}"]
        for row in own.memory
    ]
    of = reference([row.name for row in own.instructions])
    return "\n".join([
        f"own brute force ({FEW_IMAGES} images), {POOL:,} captions, µs a pair:",
        table(["features", "ε", "search", "brute force", "ratio", "argmin"], brute),
        f"instruction sets, {CAPTIONS:,} captions, µs a pair; share: of {of}'s solver speed:",
        table(["", "easy, ε 0.05", "hard, ε 0.1", "solver only", "share"], instructions),
        "MB beyond features:",
        table(["captions", "counted", "search", "whole call"], memory),
    ])  # fmt: skip


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--repeats", default=5, help="Turns.")
def main(as_json: bool, repeats: int) -> None:
    """Compare `nearest_captions` with itself."""
    torch.set_num_threads(1)
    own = compare(repeats)
    if own:
        click.echo(json.dumps(asdict(own)) if as_json else as_text(own))


if __name__ == "__main__":
    main()
