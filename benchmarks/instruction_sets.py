"""The search and the solver by instruction set, forced one after the other.

The kernel has no entry for the solver alone. Features are turned so that a product of matrices
before it is short, and the time of that product is subtracted.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from synthetic_features import LEVELS, draw
from torch import Tensor
from torch.nn.functional import pad
from turns import ratio, take_turns

from shieldclip.transport import Bags, SearchSettings, native_search, nearest_captions
from shieldclip.transport.native import library

IMAGES, CAPTIONS = 64, 1000
SOLVED, SOLVED_TIMES = 256, 10
"""Pairs for the solver, few enough to stay in the cache, and how often in a turn."""
SOLVER_TURNS = 10
"""Its turns for one of a search: what is left of a difference is noisy."""
NARROW = 16
"""Width that holds all words of a caption."""


@dataclass(frozen=True)
class Instructions:
    """Of one instruction set: µs a pair of searches and of the solver, and its speed's share."""

    name: str
    easy: float
    hard: float
    solver: float
    share: float


@contextmanager
def forced(instructions: str) -> Iterator[None]:
    """The compiled kernel uses this instruction set."""
    before = os.environ.get(library.VARIABLE)
    os.environ[library.VARIABLE] = instructions
    try:
        yield
    finally:
        os.environ.pop(library.VARIABLE)
        if before is not None:
            os.environ[library.VARIABLE] = before


def narrowed(patches: Tensor, captions: Bags) -> tuple[Tensor, Bags]:
    """One image ``[N, P, D]`` per caption, in coordinates of the span of the caption's words.

    Cosines stay as they are; width becomes `NARROW`.
    """
    words, mask = captions.pad()  # [N, L, D]
    basis, coordinates = torch.linalg.qr(words.mT)  # [N, D, L], [N, L, L]
    missing = (0, NARROW - words.shape[1])
    narrow = Bags.pack(pad(coordinates.mT, missing), mask)
    return pad(patches @ basis, missing), narrow


def solver_works(level: str, epsilon: float) -> dict[str, Callable[[], object]]:
    """Distances of pairs with a narrow product of matrices, and with one of twice the width.

    A distance is solved to a tolerance of 1e-4, then again to a twentieth of it.
    """
    patches, captions = draw(level, IMAGES, SOLVED)
    images = torch.arange(SOLVED) % IMAGES
    once = narrowed(patches[images], captions)
    words = Bags(pad(once[1].features, (0, NARROW)), captions.offsets)
    twice = pad(once[0], (0, NARROW)), words
    settings = SearchSettings(epsilon)

    def work(pairs: tuple[Tensor, Bags]) -> None:
        for _ in range(SOLVED_TIMES):
            native_search.pair_distances(*pairs, settings)

    return {"once": lambda: work(once), "twice": lambda: work(twice)}


def under(instructions: str, work: Callable[[], object]) -> Callable[[], None]:
    """The work with an instruction set forced."""

    def run() -> None:
        with forced(instructions):
            work()

    return run


def of_all(
    names: Sequence[str], works: dict[str, Callable[[], object]], turns: int
) -> dict[tuple[str, str], list[float]]:
    """Processor seconds by instruction set and work, in every turn."""
    forced_works = {f"{name} {work}": under(name, works[work]) for name in names for work in works}
    spent = take_turns(forced_works, turns)
    return {(name, work): spent[f"{name} {work}"] for name in names for work in works}


def solver_seconds(names: Sequence[str], turns: int) -> dict[str, list[float]]:
    """Of a pair in every turn: what twice the width takes more is what the product takes."""
    spent = of_all(names, solver_works("easy", 0.05), turns)
    return {
        name: [
            (2 * once - twice) / SOLVED / SOLVED_TIMES
            for once, twice in zip(spent[name, "once"], spent[name, "twice"], strict=True)
        ]
        for name in names
    }


def compare_instructions(repeats: int) -> list[Instructions]:
    """All that run here, the slowest first."""
    names = library.runnable()
    pools = {level: draw(level, IMAGES, CAPTIONS) for level in LEVELS}
    works: dict[str, Callable[[], object]] = {
        "easy": lambda: nearest_captions(*pools["easy"], epsilon=0.05),
        "hard": lambda: nearest_captions(*pools["hard"], epsilon=0.1),
    }
    spent = of_all(names, works, repeats)
    solving = solver_seconds(names, SOLVER_TURNS * repeats)

    def microseconds(name: str, work: str) -> float:
        return 1e6 * statistics.median(spent[name, work]) / IMAGES / CAPTIONS

    return [
        Instructions(
            name=name,
            easy=microseconds(name, "easy"),
            hard=microseconds(name, "hard"),
            solver=1e6 * statistics.median(solving[name]),
            share=ratio(solving[reference(names)], solving[name]),
        )
        for name in names
    ]


def reference(names: Sequence[str]) -> str:
    """The instruction set whose solver others are compared with."""
    return "avx512" if "avx512" in names else names[-1]
