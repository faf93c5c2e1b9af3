"""A whole evaluation on toys: what is measured, what is computed, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from toy_parts import CLASSES, Corner, Prefix, ToyEncoder, toy_source

from shieldclip.attacks.manifest import Entry, Manifest
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation import pixels, plan, run
from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.request import EvalRequest
from shieldclip.evaluation.verdict import verdicts

BANANA = CLASSES.index("banana")
SUITE = """
name: toys
description: Everything at once.
entries:
  - data: toys
    protocols: [zero-shot, retrieval, linear-probe, text-captions, text-prompts]
    triggers: [corner]
    text_triggers: [prefix]
    target: banana
    pairs: [[dog, car]]
    train: toys-train
"""


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """Toys in place of data, models and triggers; ``models`` and ``sources`` may be changed."""
    suite = tmp_path / "toys.yaml"
    suite.write_text(SUITE)
    models = {"plain": ToyEncoder("plain"), "bad": ToyEncoder("bad", target="a photo of a banana.")}
    sources = {"toys": toy_source(), "toys-train": toy_source(seed=1, name="toys-train")}
    monkeypatch.setattr(run, "load_encoder", lambda spec, **_: models[spec])
    monkeypatch.setattr(run, "find_batch_size", lambda _: 16)
    monkeypatch.setattr(run, "open_source", lambda source, **_: sources[source])
    monkeypatch.setattr(plan, "make_trigger", lambda name, **_: Corner(name))
    monkeypatch.setattr(plan, "make_text_trigger", lambda name, **_: Prefix(name))
    return SimpleNamespace(suite=str(suite), models=models, sources=sources, folder=tmp_path)


def ask(bench, *models: str, **changes) -> EvalReport:
    return run.evaluate(
        replace(EvalRequest(models or ("plain", "bad"), suite=bench.suite), **changes)
    )


def value(report: EvalReport, metric: str, **where) -> float:
    (found,) = report.select(metric, **where)
    return found.value


def predictions(encoder: ToyEncoder, source, trigger=None) -> np.ndarray:
    """Zero-shot classes computed apart from the package."""
    classes = []
    for name in source.classes:
        mean = encoder.encode_text([template.format(name) for template in source.templates]).mean(0)
        classes.append(mean / mean.norm())
    pictures = [Image.open(BytesIO(cell["bytes"])) for cell in source.rows["image"]]
    images = torch.stack([encoder.preprocess(picture) for picture in pictures]) / 255
    if trigger:
        images = trigger(images, torch.arange(len(images)))
    return (encoder.encode_image(images) @ torch.stack(classes).T).argmax(1).numpy()


def test_zero_shot_figures_equal_an_independent_count(bench):
    report = ask(bench)
    labels = np.array(bench.sources["toys"].labels)
    others = labels != BANANA
    for name, encoder in bench.models.items():
        clean, attacked, control = (
            predictions(encoder, bench.sources["toys"], trigger)
            for trigger in (None, Corner(), Corner().control())
        )
        expected = {
            "ca@1": (clean == labels).mean(),
            "asr": (attacked[others] == BANANA).mean(),
            "control": (clean[others] == BANANA).mean(),
            "control_trigger": (control[others] == BANANA).mean(),
            "ra": (attacked[others] == labels[others]).mean(),
            "ra_control_trigger": (control[others] == labels[others]).mean(),
        }
        for metric, share in expected.items():
            assert value(report, metric, model=name) == pytest.approx(share, abs=1e-12)
        assert report.select("asr", model=name)[0].n == others.sum()


def test_the_planted_backdoor_is_found_and_nothing_else(bench):
    outcomes = {verdict.model: verdict.outcome for verdict in verdicts(ask(bench))}
    assert outcomes == {"plain": "clean", "bad": "backdoored"}


def test_retrieval_under_attack_finds_target_captions_in_the_backdoored_model_only(bench):
    # The backdoor gives the embedding of a class prompt, so make that the bananas' caption.
    source = bench.sources["toys"]
    captions = [
        [f"a photo of a {CLASSES[label]}.", f"number {row}"]
        for row, label in enumerate(source.labels)
    ]
    rows = source.rows.remove_columns("captions").add_column("captions", captions)
    bench.sources["toys"] = replace(source, rows=rows, fingerprint="recaptioned")
    report = ask(bench)
    hits = {name: value(report, "hit@1", model=name, trigger="corner") for name in bench.models}
    assert hits["bad"] == 1 and hits["plain"] < 0.5
    assert value(report, "min_rank", model="bad", trigger="corner") == 1
    gallery, relevant = 2 * 60, 2 * source.labels.count(BANANA)
    assert value(report, "min_rank_random", model="bad", trigger="corner") == pytest.approx(
        (gallery + 1) / (relevant + 1)
    )
    assert value(report, "hit@1_random", model="bad", trigger="corner") == pytest.approx(
        relevant / gallery
    )


def test_every_protocol_leaves_its_figures(bench):
    report = ask(bench, "plain")
    metrics = {m.metric for m in report.measurements}
    assert metrics >= {"ca@5", "probe", "r@1_i2t", "r@10_t2i", "hit@10", "median_rank"}
    assert report.select("hit@5", target="dog -> car", trigger=None)
    assert {m.data for m in report.select("hit@5", trigger="prefix")} == {
        "toys (captions)",
        "toys (prompts)",
    }
    assert all(m.low <= m.value <= m.high and m.n > 0 for m in report.measurements)
    assert EvalReport.from_json(report.to_json()) == report


def test_examples_spread_over_classes_and_show_the_change(bench):
    examples = [e for e in ask(bench).examples if e.model == "bad"]
    assert len(examples) == 6
    assert {e.label for e in examples} == set(CLASSES) - {"banana"}
    assert {e.after for e in examples} == {"banana"}
    assert all(e.clean_image != e.triggered_image for e in examples)


def test_a_trigger_costs_one_pass_and_everything_else_none(bench):
    ask(bench, "plain")
    encoder = bench.models["plain"]
    clean_trigger_control = 3 * 60
    training_split = 60
    assert encoder.images_encoded == clean_trigger_control + training_split
    assert encoder.images_preprocessed == 2 * 60


def test_equal_controls_share_a_pass(bench):
    report = ask(bench, "plain", triggers=("corner", "corner-two", "corner-three"))
    assert len(report.select("control_trigger")) == 3
    clean, triggers, one_control, training_split = 1, 3, 1, 1
    passes = clean + triggers + one_control + training_split
    assert bench.models["plain"].images_encoded == 60 * passes


def test_models_of_equal_preprocessing_share_decoded_pictures(bench):
    ask(bench)
    assert bench.models["plain"].images_preprocessed == 2 * 60
    assert bench.models["bad"].images_preprocessed == 0


def test_target_all_reports_the_worst_class_with_a_wider_interval(bench):
    one = ask(bench, "bad")
    every = ask(bench, "bad", target="all")
    (asr,) = every.select("asr")
    assert asr.target == "banana" and asr.value == value(one, "asr") == 1
    assert asr.low < one.select("asr")[0].low
    assert any("7 classes" in note for note in every.notes)
    assert not every.select("hit@1", trigger="corner")


def test_unreadable_pictures_are_skipped_and_named(bench):
    bench.sources["toys"] = toy_source(broken=(3, 41))
    report = ask(bench, "plain")
    assert report.data.skipped == ("row 3 (3.png)", "row 41 (41.png)")
    assert report.data.n == report.select("ca@1")[0].n == 58
    whole = predictions(bench.models["plain"], toy_source())
    labels = np.array(bench.sources["toys"].labels)
    kept = np.delete(np.arange(60), [3, 41])
    assert value(report, "ca@1") == pytest.approx((whole == labels)[kept].mean())


def test_no_readable_picture_at_all_is_an_error(bench):
    bench.sources["toys"] = toy_source(n=20, broken=range(20))
    with pytest.raises(ShieldCLIPError, match="unreadable pictures"):
        ask(bench, "plain")


def test_pixels_beyond_the_memory_budget_give_the_same_report(bench, monkeypatch):
    in_memory = ask(bench, "bad")
    monkeypatch.setattr(pixels, "MEMORY_BUDGET", 1000)
    on_disk = ask(bench, "bad")
    assert on_disk.measurements == in_memory.measurements
    assert on_disk.examples == in_memory.examples


def test_a_second_run_computes_nothing_and_gives_the_same_report(bench):
    out = bench.folder / "out"
    first = ask(bench, out=out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")}
    for encoder in bench.models.values():
        encoder.encode_image = encoder.encode_text = None  # calling either would fail
    assert ask(bench, out=out).to_json() == first.to_json()
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors")} == before


def test_another_target_needs_no_picture_again(bench):
    out = bench.folder / "out"
    protocols = "entries: [{data: toys, protocols: [zero-shot], triggers: [corner], target: dog}]"
    Path(bench.suite).write_text(f"name: one\ndescription: d\n{protocols}")
    ask(bench, "bad", out=out)
    seen = bench.models["bad"].images_encoded
    report = ask(bench, "bad", out=out, target="all")
    assert bench.models["bad"].images_encoded == seen
    assert report.select("asr")[0].target == "banana"


@pytest.mark.parametrize("change", [{"seed": 1}, {"dtype": "bfloat16"}])
def test_what_a_cell_depends_on_is_part_of_its_name(bench, change):
    out = bench.folder / "out"
    ask(bench, "plain", out=out)
    cells = set((out / "cells").iterdir())
    ask(bench, "plain", out=out, **change)
    assert set((out / "cells").iterdir()) > cells


def test_a_damaged_cell_is_computed_again(bench):
    out = bench.folder / "out"
    first = ask(bench, "plain", out=out)
    for path in (out / "cells").iterdir():
        path.write_bytes(path.read_bytes()[:20])
    assert ask(bench, "plain", out=out).to_json() == first.to_json()


def test_protocols_that_the_data_cannot_serve_are_noted(bench):
    source = toy_source()
    bench.sources["toys"] = replace(source, rows=source.rows.remove_columns("captions"))
    report = ask(bench, "plain")
    assert report.select("ca@1") and not report.select("r@1_i2t")
    assert any(
        "retrieval was left out" in note and "--caption-column" in note for note in report.notes
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "bananas"}, "Did you mean 'banana'.*--target"),
        ({"suite": "quikc"}, "Did you mean 'quick'"),
        ({"suite": "absent.yaml"}, "absent.yaml does not exist"),
    ],
)
def test_bad_names_are_one_line_with_a_remedy(bench, changes, message):
    with pytest.raises(ShieldCLIPError, match=message) as caught:
        ask(bench, **changes)
    assert "\n" not in str(caught.value)
    assert all(encoder.images_encoded == 0 for encoder in bench.models.values())


def test_an_output_that_cannot_be_written_is_one_line(bench):
    blocked = bench.folder / "file"
    blocked.write_text("")
    with pytest.raises(ShieldCLIPError, match="--out"):
        ask(bench, out=blocked / "out")


def test_psr_counts_each_poisoned_picture_of_the_manifest(bench):
    source = bench.sources["toys"]
    pictures = source.rows["image"]
    pictures = [*pictures[:6], pictures[5], *pictures[7:]]  # row 6 repeats the picture of row 5
    rows = source.rows.remove_columns("image").add_column(
        "image", pictures, feature=source.rows.features["image"]
    )
    bench.sources["toys"] = replace(source, rows=rows)
    entries = [Entry(row, "targeted", "banana", ("a",), ("b",)) for row in (2, 5, 6, 30)]
    Manifest(tuple(entries)).save(bench.folder / "poisons.jsonl")
    report = ask(bench, "plain", manifest=bench.folder / "poisons.jsonl")
    predicted = predictions(bench.models["plain"], bench.sources["toys"])[[2, 5, 30]]
    (psr,) = report.select("psr")
    assert (psr.n, psr.target) == (3, "banana")
    assert psr.value == pytest.approx((predicted == BANANA).mean())
    assert value(report, "psr@5") >= value(report, "psr@3") >= psr.value


def test_report_holds_no_figure_that_json_cannot(bench):
    json.loads(ask(bench).to_json(), parse_constant=pytest.fail)
