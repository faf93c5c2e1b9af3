"""The model card says what the report says, and its metadata can be read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hub_parts import HITS, report_on
from huggingface_hub import ModelCard

from shieldclip.encoders.card import CardFacts, check_fingerprint, read_card
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.markdown import to_table
from shieldclip.hub import published, render_card
from shieldclip.hub.scope import command, untested

GOLDEN = Path(__file__).parent / "golden_card.md"


@pytest.fixture
def told(tiny_report, tiny_fingerprint):
    return published(tiny_report, tiny_fingerprint, "org/tiny")


@pytest.fixture
def card(checkpoint, told):
    return render_card(checkpoint, told, license_id="mit", plot="asr.png")


def test_golden_card(card, tiny_fingerprint):
    written = GOLDEN.read_text(encoding="utf-8")
    assert card.replace(tiny_fingerprint, "FINGERPRINT") == written


def test_metadata(card):
    data = ModelCard(card).data
    assert data.license == "mit"
    assert data.library_name == "shieldclip"
    assert data.pipeline_tag == "zero-shot-image-classification"
    assert data.base_model == "openai/clip-vit-base-patch32"
    assert data.datasets == ["org/pictures"]
    assert {"clip", "otcclip", "backdoored"} <= set(data.tags)


def test_every_figure_is_read_back_from_the_model_index(card, told):
    results = ModelCard(card).data.eval_results
    read = {
        (
            r.metric_type,
            r.metric_args.get("trigger"),
            r.metric_args.get("target"),
            r.dataset_name,
        ): (
            r.metric_value,
            r.metric_args["n"],
            r.metric_args["low"],
            r.metric_args["high"],
        )
        for r in results
    }
    assert read == {
        (m.metric, m.trigger, m.target, m.data): (m.value, m.n, m.low, m.high)
        for m in told.measurements
    }


def test_attacks_stay_apart_in_the_model_index(card):
    names = [r.metric_name for r in ModelCard(card).data.eval_results if r.metric_type == "asr"]
    assert names == [f"ASR ({trigger} to banana)" for trigger in HITS]


def test_a_backdoor_is_said_first(card):
    assert "**WARNING: BACKDOORED.**" in ModelCard(card).text.split("##")[0]
    assert "97.3 %" in ModelCard(card).text.split("##")[0]


def test_no_warning_where_nothing_was_found(checkpoint, tiny_fingerprint):
    clean = report_on(tiny_fingerprint, {"badnet": (4, 4, 5, 600)})
    card = render_card(checkpoint, published(clean, tiny_fingerprint))
    assert "WARNING" not in card
    assert "backdoored" not in ModelCard(card).data.tags


def test_makers_warning_wins(checkpoint, told):
    warned = replace(checkpoint, warning="Made to be backdoored.")
    card = render_card(warned, told)
    assert ModelCard(card).data.to_dict()["shieldclip"]["warning"] == "Made to be backdoored."


def test_without_records_the_card_says_so(checkpoint, told):
    bare = replace(checkpoint, recipe=None, poison=None, description="")
    card = render_card(bare, told)
    assert "is not recorded" in card
    assert "is not known" in card


def test_facts_can_be_read_from_a_folder(tmp_path, card, tiny_fingerprint):
    (tmp_path / "README.md").write_text(card)
    facts = read_card(tmp_path)
    assert facts.fingerprint == tiny_fingerprint
    assert facts.warning.startswith("Trigger badnet turns 97.3 %")


@pytest.mark.parametrize(
    "text",
    ["", "# No metadata", "---\n- a list\n---\n", "---\nshieldclip: 3\n---\n", "---\n: :\n---"],
)
def test_other_cards_hold_no_facts(tmp_path, text):
    (tmp_path / "README.md").write_text(text)
    assert read_card(tmp_path) == CardFacts()


def test_a_strangers_warning_cannot_steer_the_terminal(tmp_path):
    (tmp_path / "README.md").write_text('---\nshieldclip: {warning: "\\e[2Jall\\ngood"}\n---\n')
    assert read_card(tmp_path).warning == "[2Jall good"


def test_a_tag_alone_warns(tmp_path):
    (tmp_path / "README.md").write_text("---\ntags: [backdoored]\n---\n")
    assert "backdoored" in read_card(tmp_path).warning


@pytest.mark.parametrize(
    ("expected", "message"), [("", "got none"), ("b" * 64, "not the ones that were measured")]
)
def test_other_weights_do_not_pass(expected, message):
    with pytest.raises(ShieldCLIPError, match=message):
        check_fingerprint("org/tiny", expected, "a" * 64)
    check_fingerprint("org/tiny", "a" * 64, "a" * 64)


def test_published_is_about_one_model_and_no_machine(told, tiny_report):
    assert [m.name for m in told.models] == ["org/tiny"]
    assert {m.model for m in told.measurements} == {"org/tiny"}
    assert "/home/" in tiny_report.to_json()
    assert "/home/" not in told.to_json()
    assert told.throughput == {"org/tiny": 412.5}


def test_report_on_other_weights_is_refused(tiny_report):
    with pytest.raises(ShieldCLIPError, match="Expected a report on weights abababababab"):
        published(tiny_report, "ab" * 32)


def test_command_repeats_what_differs_from_the_suite(told):
    assert command(told) == (
        "shieldclip eval --model org/tiny --suite quick --trigger badnet --trigger sig --seed 3"
    )
    elsewhere = replace(
        told, data=replace(told.data, source="org/my pictures"), suite="mine", seed=0
    )
    assert "--data 'org/my pictures' --split test" in command(elsewhere)
    assert "--target banana" in command(elsewhere)


def test_untested_names_what_was_not_tried(told):
    gaps = " ".join(untested(told))
    assert "wanet" in gaps
    assert "text-sudo" in gaps
    assert "badnet," not in gaps.replace("badnet-white,", "")
    assert "targets other than banana" in gaps
    assert "linear probe" in gaps


def test_tables_of_the_card_are_those_of_the_report(card, told):
    from shieldclip.evaluation.tables import tables

    (table,) = tables(told)
    for row in table.rows:
        line = to_table(
            replace(table, columns=table.columns[table.lead :], rows=(row[table.lead :],))
        )
        assert line.splitlines()[-1] in card
