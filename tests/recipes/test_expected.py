"""Recipes say what their stored runs say; made-up runs show how, and what stays as written."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import yaml
from click.testing import CliRunner
from expected.evidence import REFERENCES, evidence_for, read_references
from expected.recipe_file import WIDTH, told, with_line
from expected.sentence import expected, time
from hypothesis import given
from hypothesis import strategies as st
from results.stored import Run, save_run
from test_results import backdoor, clean
from write_results import MATRICES, RECIPES, main

from shieldclip.errors import ShieldCLIPError
from shieldclip.training.defences.shield import Shield

FILES = sorted(RECIPES.glob("*.yaml"))
WORDS = st.text("ab:#-'\"%>,()[]{}.", min_size=1, max_size=12)
RUNS = [
    clean(0, 604),
    clean(1, 620),
    backdoor("plain", 0, 900, 580, seconds=400),
    backdoor("plain", 1, 940, 570, seconds=440),
    backdoor("shield", 0, 3, 600, seconds=300),
    backdoor("shield", 1, 5, 610, seconds=342),
    backdoor("cleanclip", 1, 195, 583, seconds=990),
    backdoor("otcclip-as-published", 0, 0, 590),
]


def evidence(name, runs=RUNS, experiment="finetune"):
    return evidence_for(RECIPES / f"{name}.yaml", read_references(MATRICES), {experiment: runs})


def with_facts(run, **changed):
    return Run(replace(run.facts, **changed), run.report)


def test_figures_stand_beside_those_of_plain_training():
    assert expected(evidence("finetune-shield")) == (
        "ASR 0.4 % (control 0.4 %, plain training 92.0 %), CA@1 60.5 % (plain training on clean "
        "pairs 61.2 %) under badnet on 2 % of the pairs, 2 seeds. Figures of "
        "training/matrices/finetune.yaml, which changes data.poison.rate (0.2); other attacks in "
        "training/RESULTS.md."
    )
    assert expected(evidence("finetune-plain")).startswith("ASR 92.0 % (control 0.4 %), CA@1 57.5")


def test_a_repair_stands_beside_what_it_repaired_in_the_same_seeds():
    found = evidence("finetune-cleanclip")
    assert "ASR 19.5 % (control 0.4 %, before the repair 94.0 %)" in expected(found)
    assert "clean pairs 62.0 %) under badnet on 2 % of the pairs, 1 seed. " in expected(found)
    assert list(found.changed) == ["model.pretrained"]


def test_what_was_not_measured_is_left_out():
    said = expected(evidence("finetune-shield", [backdoor("shield", 0, 3, 600)]))
    assert said.startswith("ASR 0.3 % (control 0.4 %), CA@1 60.0 % under badnet")


def test_runs_of_a_former_revision_are_counted():
    shields = [
        with_facts(backdoor("shield", seed, 3, 600), defence="shield", revision=revision)
        for seed, revision in enumerate((1, Shield.revision))
    ]
    said = expected(evidence("finetune-shield", shields))
    assert "2 seeds, 1 by a former revision of the defence. " in said


def test_settings_of_the_matrix_are_named():
    found = evidence("plain", experiment="scratch")
    assert found.changed.keys() == {
        "data.poison.rate",
        "data.sources",
        "model.depth",
        "model.width",
        "optimiser.samples",
    }
    said = expected(found)
    assert "changes data.poison.rate (0.03), data.sources, model.depth (4), model.width" in said
    assert "optimiser.samples (240000); other" in said


def test_time_is_that_of_runs_as_long_as_the_recipes_own():
    assert time(evidence("finetune-shield")) == "about 5 minutes without evaluations"
    assert time(evidence("plain", experiment="scratch")) is None
    repaired = with_facts(RUNS[6], final={"seconds": 590.0})
    found = evidence("finetune-cleanclip", [repaired])
    assert time(found) == "about 10 minutes without evaluations", "without what it repaired"
    found = replace(found, own=found.trained)
    assert time(found) == "about 10 minutes"
    short = evidence("finetune-shield", [backdoor("shield", 0, 3, 600, seconds=20)])
    assert time(short).startswith("under a minute")


@pytest.mark.parametrize(
    "name", ["finetune-otcclip", "otcclip", "roclip", "own-pictures", "cc3m-vit-b32"]
)
def test_a_recipe_without_runs_stays_as_it_was_written(name):
    path = RECIPES / f"{name}.yaml"
    assert evidence(name) is None, "a changed recipe is another"
    assert told(path, read_references(MATRICES), {"finetune": RUNS}) == path.read_text()


@given(path=st.sampled_from(FILES), words=st.lists(WORDS, min_size=1, max_size=40))
def test_only_the_value_of_one_line_changes(path, words):
    value = " ".join(words)
    before = path.read_text(encoding="utf-8")
    after = with_line(before, "expected", value)
    record = yaml.safe_load(before)
    record["about"]["expected"] = value
    assert yaml.safe_load(after) == record
    assert with_line(after, "expected", value) == after
    start, end = before.index("  expected:"), before.index("\nmodel:")
    written = after[start : after.index("\nmodel:")]
    assert after == before[:start] + written + before[end:]
    assert max(map(len, written.splitlines())) <= WIDTH


def test_a_recipe_without_the_key_is_refused():
    for text in ("about:\n  time: now\ndata:\n  expected: x\n", "data:\n  expected: x\n"):
        with pytest.raises(ShieldCLIPError, match=r"one key 'expected' .* got 0"):
            with_line(text, "expected", "y")


def test_the_script_rewrites_recipes_that_were_run(tmp_path):
    for name in ("finetune-shield", "smoke"):
        shutil.copy(RECIPES / f"{name}.yaml", tmp_path)
    for run in RUNS:
        save_run(run, tmp_path / "reports" / "finetune")
    places = {"reports": "reports", "out": "R.md", "html": "r.html", "recipes": "."}
    arguments = [f"--{option}={tmp_path / place}" for option, place in places.items()]
    assert "; recipes changed: 1" in CliRunner().invoke(main, arguments).output
    about = yaml.safe_load((tmp_path / "finetune-shield.yaml").read_text())["about"]
    assert about["expected"] == expected(evidence("finetune-shield"))
    assert about["time"] == "about 5 minutes without evaluations"
    assert (tmp_path / "smoke.yaml").read_text() == (RECIPES / "smoke.yaml").read_text()
    assert "; recipes changed: 0" in CliRunner().invoke(main, arguments).output


def test_references_are_matrices_that_keep_reports_under_their_names():
    assert {f"{matrix.name}.yaml" for matrix in read_references(MATRICES).values()} == {*REFERENCES}
