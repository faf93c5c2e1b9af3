"""`benchmarks/write_costs.py`: committed pages say what committed records say."""

from __future__ import annotations

import copy
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import write_costs
from costs import steps
from costs.stored import load_records
from record import COMMANDS
from write_costs import DOCS, PAGES, goals, mark, written

from shieldclip.evaluation.table import MISSING

RECORDS = load_records(COMMANDS)
ICONS = "train-step-icons"
WHOLE, HALVED = (("tables", place, "rows") for place in (0, 1))
"""Costs with all image patches, and with half of them."""


def changed(name, path, value):
    """The records with one figure replaced."""
    figures = copy.deepcopy(dict(RECORDS[name].figures))
    *above, last = path
    place = figures
    for key in above:
        place = place[key]
    place[last] = value
    return {**RECORDS, name: replace(RECORDS[name], figures=figures)}


def verdict(records, what):
    """Of the one goal whose figure is called so."""
    (line,) = [line for line in goals(records).splitlines() if re.match(rf"\| {what}", line)]
    return line.split("|")[-2].strip(" *")


def test_committed_pages_are_those_of_the_committed_records():
    for name, blocks in PAGES.items():
        page = (DOCS / name).read_text(encoding="utf-8")
        assert written(page, blocks, RECORDS) == page
        for block, content in blocks.items():
            assert f"<!-- {mark(block)} -->\n{content(RECORDS)}\n<!-- /{mark(block)}" in page


def test_committed_records_are_those_of_the_commands():
    for name, command in COMMANDS.items():
        assert RECORDS[name].command.startswith(f"python benchmarks/{command} ")


def test_the_script_replaces_only_what_is_between_the_marks(tmp_path):
    for name in PAGES:
        page = (DOCS / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(page.replace("are met.", "are not met.") + "After.\n")
    assert CliRunner().invoke(write_costs.main, ["--docs", str(tmp_path)]).exit_code == 0
    for name in PAGES:
        page = (DOCS / name).read_text(encoding="utf-8")
        assert (tmp_path / name).read_text(encoding="utf-8") == page + "After.\n"


@pytest.mark.parametrize(
    ("what", "name", "path", "met", "missed"),
    [
        ("Step of otcclip.*64 patches", ICONS, (*WHOLE, "otcclip", "step"), 1.5, 1.51),
        ("Step of shield.*32 patches", ICONS, (*HALVED, "shield", "step"), 1.69, 1.71),
        ("Elements.*64 patches", ICONS, (*WHOLE, "semantic-shield", "elements"), 0.149, 0.151),
        ("Time of inference", "inference-cost", ("time_ratio",), 1.01, 1.0101),
        ("Memory of inference", "inference-cost", ("memory_ratio",), 0.99, 1.02),
        ("Zero-shot speed", "eval-speed", ("zero_shot_vs_clip_benchmark",), 1.0, 0.999),
        ("Time of a suite", "eval-speed", ("suite_vs_bare_passes",), 1.05, 1.06),
        ("Time of POT's loop", "transport", ("worst", "pot_loop"), 401, 399),
        ("Time of OTT-JAX", "transport", ("worst", "ott_jax"), 30, 29.9999),
        ("Time of brute force", "transport-own", ("brute", 0, "ratio"), 2.6, 2.4),
        ("Memory that a search", "transport-own", ("memory", 1, "search"), 15.9, 16.1),
    ],
)
def test_a_verdict_is_that_of_the_recorded_figure(what, name, path, met, missed):
    assert verdict(changed(name, path, met), what) == "met"
    assert verdict(changed(name, path, missed), what) == "missed"


def test_what_was_not_measured_is_said():
    """Peers that are not installed, and defences that were left out."""
    worst = {"gemm": 1.0}
    without = changed("transport", ("worst",), worst)
    assert verdict(without, "Time of OTT-JAX") == "not measured"
    rows = {"plain": RECORDS[ICONS].figures["tables"][0]["rows"]["plain"]}
    without = changed(ICONS, WHOLE, rows)
    assert verdict(without, "Step of otcclip.*64 patches") == "not measured"
    assert f"| icons | 256 | 64 | {MISSING} |" in steps.of_matching(without)


def test_goals_are_those_of_the_batches_they_were_set_for():
    assert "icons" not in goals(changed(ICONS, ("batch_size",), 64))
