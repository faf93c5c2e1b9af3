"""`benchmarks/transport_own.py`: both sides of its comparisons compute the same."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import instruction_sets
import transport_own
from search_memory import WARM, Memory, grown, memory_of
from synthetic_features import draw
from turns import ratio, take_turns

from shieldclip.transport import nearest_captions, pair_distances
from shieldclip.transport.native import library

compiled = pytest.mark.skipif(not library.available(), reason="the kernel is not compiled here")


@compiled
def test_brute_force_begins_to_solve_every_pair_and_finds_the_same():
    patches, captions = draw("hard", 4, 600, patches=9, width=32)
    found = transport_own.brute_force(patches, captions, 0.1)
    assert found.stats.solved > 0.9 * 4 * 600  # Captions that repeat the best are skipped.
    assert found.stats.pruned == 0
    assert torch.equal(found.index, nearest_captions(patches, captions, epsilon=0.1).index)


@pytest.mark.parametrize("level", ["easy", "hard"])
def test_narrowed_pairs_are_as_far_apart(level):
    patches, captions = draw(level, 30, 30, patches=9, width=32)
    narrow, words = instruction_sets.narrowed(patches, captions)
    assert narrow.shape == (30, 9, instruction_sets.NARROW)
    assert words.features.shape[1] == instruction_sets.NARROW
    distances = [pair_distances(*pair) for pair in ((patches, captions), (narrow, words))]
    assert torch.allclose(*distances, rtol=0, atol=1e-5)


@compiled
@pytest.mark.parametrize("before", [None, "generic"])
def test_an_instruction_set_is_forced_for_a_while(monkeypatch, before):
    monkeypatch.delenv(library.VARIABLE, raising=False)
    if before:
        monkeypatch.setenv(library.VARIABLE, before)
    for name in library.runnable():
        seen = []
        instruction_sets.under(name, lambda seen=seen: seen.append(library.chosen()))()
        assert seen == [name]
    assert os.environ.get(library.VARIABLE) == before


def test_growth_is_that_at_the_peak():
    def work() -> None:
        held = torch.ones(20_000_000)
        time.sleep(0.2)
        del held

    assert 79 < grown(work) < 90


@compiled
def test_memory_is_measured_in_a_process_of_its_own():
    found = memory_of(WARM)
    assert found.captions == WARM
    assert 0 < found.counted < 16
    assert 0 < found.search < 16


def test_ratios_are_taken_within_turns():
    assert ratio([2.0, 30.0, 8.0], [1.0, 10.0, 2.0]) == 3
    calls = []
    spent = take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2)
    assert calls == ["a", "b", "a", "b"]
    assert {name: len(times) for name, times in spent.items()} == {"a": 2, "b": 2}


@compiled
def test_what_is_compared_is_printed(monkeypatch, capsys):
    small = {"CAPTIONS": 40, "SOLVED": 20, "SOLVER_TURNS": 2, "IMAGES": 3}
    for name, value in small.items():
        monkeypatch.setattr(instruction_sets, name, value)
    for name, value in {"CAPTIONS": 40, "POOL": 600, "IMAGES": 3, "FEW_IMAGES": 2}.items():
        monkeypatch.setattr(transport_own, name, value)
    monkeypatch.setattr(transport_own, "memory_of", lambda pool: Memory(pool, 1.0, 2.0, 3.0))
    own = transport_own.compare(1)
    assert own is not None
    assert [row.name for row in own.instructions] == list(library.runnable())
    assert [row.share for row in own.instructions if row.name == "avx512"] in ([1.0], [])
    assert [(row.features, row.epsilon, row.same) for row in own.brute] == [
        ("easy", 0.05, 1.0), ("easy", 0.1, 1.0), ("hard", 0.05, 1.0), ("hard", 0.1, 1.0),
    ]  # fmt: skip
    assert [row.captions for row in own.memory] == [40, 600]
    assert json.loads(json.dumps(asdict(own)))["memory"][0]["search"] == 2.0
    text = transport_own.as_text(own)
    assert all(name in text for name in library.runnable())
    assert "easy" in capsys.readouterr().err


def test_without_a_kernel_there_is_nothing_to_compare(monkeypatch, capsys):
    monkeypatch.setattr(library, "available", lambda: False)
    assert transport_own.compare(1) is None
    assert "not compiled" in capsys.readouterr().err
