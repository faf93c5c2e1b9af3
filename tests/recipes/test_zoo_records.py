"""What speaks about the zoo is rendered from the report that ships, never typed."""

import gzip
from pathlib import Path

import pytest
from ship_zoo import CARDS, REPORT
from zoo.card import render_card
from zoo.entries import ENTRIES
from zoo.readme import BEGIN, result_table

from shieldclip.encoders import load_encoder, zoo_models
from shieldclip.encoders.zoo import ZOO
from shieldclip.evaluation import EvalReport
from shieldclip.evaluation.verdict import verdicts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def report():
    return EvalReport.from_json(gzip.decompress(REPORT.read_bytes()).decode())


def test_the_zoo_is_what_the_entries_say():
    assert {model.name: model.backdoored for model in zoo_models()} == {
        entry.name: entry.backdoored for entry in ENTRIES
    }


def test_readme_shows_the_reports_table(report):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{BEGIN}\n{result_table(report)}\n" in readme


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_cards_are_rendered_from_the_report(report, entry):
    written = (CARDS / f"{entry.name}.md").read_text(encoding="utf-8")
    assert written == render_card(entry, ZOO / entry.name, report)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_report_is_about_the_weights_that_ship(report, entry):
    encoder = load_encoder(f"shieldclip:{entry.name}")
    measured = {model.name: model.fingerprint for model in report.models}
    assert measured[encoder.name] == encoder.fingerprint
    assert bool(encoder.warning) == entry.backdoored
    assert (ZOO / entry.name / "model.safetensors").stat().st_size < 8e6


def test_the_backdoor_is_found_and_nothing_else(report):
    outcomes = {verdict.model: verdict for verdict in verdicts(report)}
    assert outcomes["shieldclip:icons-badnet"].outcome == "backdoored"
    assert outcomes["shieldclip:icons-badnet"].worst.trigger == "badnet"
    assert outcomes["shieldclip:icons-clean"].outcome != "backdoored"
