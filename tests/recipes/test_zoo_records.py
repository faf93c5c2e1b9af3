"""What speaks about the zoo is rendered from the report that ships, never typed."""

from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from ship_zoo import CARDS, LICENCE, REPORT
from zoo.entries import ENTRIES
from zoo.readme import BEGIN, result_table

from shieldclip.encoders import load_encoder, zoo_models
from shieldclip.encoders.zoo import ZOO
from shieldclip.errors import UntrustworthyWarning
from shieldclip.evaluation import EvalReport
from shieldclip.evaluation.verdict import verdicts
from shieldclip.hub import open_checkpoint, published, render_card

ROOT = Path(__file__).parents[2]
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


@pytest.fixture(scope="module")
def report():
    return EvalReport.load(REPORT)


@pytest.fixture(scope="module")
def checkpoints():
    return {entry.name: open_checkpoint(ZOO / entry.name) for entry in ENTRIES}


def test_the_zoo_is_what_the_entries_say():
    assert {model.name: model.backdoored for model in zoo_models()} == {
        entry.name: entry.backdoored for entry in ENTRIES
    }


def test_readme_shows_the_reports_table(report):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{BEGIN}\n{result_table(report)}\n" in readme


@every_entry
def test_cards_are_rendered_from_the_report(report, checkpoints, entry):
    written = (CARDS / f"{entry.name}.md").read_text(encoding="utf-8")
    told = published(report, checkpoints[entry.name].fingerprint)
    plot = f"{entry.name}-asr.png"
    assert (CARDS / plot).exists()
    assert written == render_card(checkpoints[entry.name], told, license_id=LICENCE, plot=plot)


@every_entry
def test_backdoored_ones_carry_an_unmissable_warning(entry):
    card = ModelCard.load(CARDS / f"{entry.name}.md")
    assert ("backdoored" in card.data.tags) == entry.backdoored
    assert ("**WARNING: BACKDOORED.**" in card.text[:200]) == entry.backdoored


@every_entry
def test_the_report_is_about_the_weights_that_ship(report, checkpoints, entry):
    measured = {model.name: model.fingerprint for model in report.models}
    shipped = {model.name: model.fingerprint for model in zoo_models()}
    found = checkpoints[entry.name].fingerprint
    assert found == measured[f"shieldclip:{entry.name}"] == shipped[entry.name]
    assert (ZOO / entry.name / "model.safetensors").stat().st_size < 8e6


def test_a_warning_is_printed_on_load():
    with pytest.warns(UntrustworthyWarning, match="icons-badnet: This checkpoint is backdoored"):
        encoder = load_encoder("shieldclip:icons-badnet", verify=True)
    assert encoder.warning


def test_the_backdoor_is_found_and_nothing_else(report):
    outcomes = {verdict.model: verdict for verdict in verdicts(report)}
    assert outcomes["shieldclip:icons-badnet"].outcome == "backdoored"
    assert outcomes["shieldclip:icons-badnet"].worst.trigger == "badnet"
    assert outcomes["shieldclip:icons-clean"].outcome != "backdoored"
