"""Runs the protocols of a plan on one model, pass by pass, each cell at most once.

A cell is what one protocol observed on one pass of one model over one data set.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.passes import CLEAN
from shieldclip.evaluation.protocols.base import Finding, Protocol
from shieldclip.evaluation.store import Arrays


def run_protocols(bank: FeatureBank, protocols: dict[str, Protocol], seed: int) -> Finding:
    """Observes what is not yet stored, then measures.

    Triggers are the outer loop, so that all protocols share the pass of each.
    """
    observations = {name: protocol.observations() for name, protocol in protocols.items()}
    seen: dict[str, dict[str, Arrays]] = {name: {} for name in protocols}
    for key in different_passes(protocols.values()):
        for name, protocol in protocols.items():
            if key in observations[name]:
                question = {"protocol": name, **protocol.question(), "seed": seed}
                cell = {**bank.key, **question, "trigger": key}
                observe = partial(observations[name][key], bank)
                seen[name][key] = bank.store.arrays("cells", cell, observe)
    findings = [protocol.measure(bank, seen[name]) for name, protocol in protocols.items()]
    return Finding(
        measurements=[row for finding in findings for row in finding.measurements],
        examples=[example for finding in findings for example in finding.examples],
    )


def different_passes(protocols: Iterable[Protocol]) -> list[str]:
    """Keys of the passes that some protocol needs, each once, the clean one first."""
    keys = (key for protocol in protocols for key in protocol.observations())
    return list(dict.fromkeys((CLEAN, *keys)))
