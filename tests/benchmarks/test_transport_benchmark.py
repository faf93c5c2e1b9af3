"""`benchmarks/transport.py`: peers compute what we do, and ratios are those of one turn."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import transport as benchmark
from synthetic_features import LEVELS, draw
from transport_peers import PotBatch, PotLoop

from shieldclip.transport import pair_distances


@pytest.mark.parametrize("level", LEVELS)
def test_features_are_unit_vectors_and_own_captions_are_near(level):
    patches, captions = draw(level, 20, 60, patches=9, width=32)
    assert patches.shape == (20, 9, 32)
    assert len(captions) == 60
    for features in (patches, captions.features):
        assert torch.allclose(features.norm(dim=-1), torch.tensor(1.0), atol=1e-5)
    own, others = (
        pair_distances(patches, captions.select(rows)).mean()
        for rows in (torch.arange(20), torch.arange(40, 60))
    )
    assert own < others


@pytest.mark.parametrize("peer", [PotLoop(1e-6), PotBatch(4, 1e-5)])
def test_peers_compute_our_distances(peer):
    patches, captions = draw("easy", 1, 6, patches=9, width=32)
    found = peer.distances(patches[0], captions, 0.1)
    ours = pair_distances(patches.expand(6, -1, -1), captions, epsilon=0.1)
    assert torch.allclose(found.float(), ours, rtol=0, atol=benchmark.FAR_OFF)


def test_settings_that_are_far_off_do_not_count(monkeypatch):
    monkeypatch.setattr(benchmark, "CHECKED", 3)
    patches, captions = draw("easy", 1, 6, patches=9, width=32)
    settings = {"POT batch": [PotBatch(6, 1e-1), PotBatch(6, 1e-6)], "POT loop": [PotLoop(1e-1)]}
    chosen = benchmark.settled(settings, patches, captions, 0.05)
    assert chosen == {"POT batch": PotBatch(6, 1e-6)}


def test_summary_is_over_the_rows_that_have_a_peer():
    def row(gemm: float, **peers: float) -> benchmark.Row:
        return benchmark.Row("easy", 0.1, 1.0, 0.1, gemm, peers, 1e-6, 1.0, 1.0)

    rows = [row(0.5, **{"POT batch": 10.0, "OTT-JAX": 3.0}), row(2.0, **{"POT batch": 40.0})]
    assert benchmark.summary(rows) == {
        "ratios": {
            "pot_batch": pytest.approx(20),
            "ott_jax": pytest.approx(3),
            "gemm": pytest.approx(1),
        },
        "worst": {"pot_batch": 10.0, "ott_jax": 3.0, "gemm": 0.5},
    }


def test_exact_search_agrees_with_brute_force():
    patches, captions = draw("hard", 4, 30, patches=9, width=32)
    found = benchmark.nearest_captions(patches, captions)
    assert benchmark.agreement(patches, captions, found, 0.05) == 1
