"""A run: what it writes, what it repeats exactly, what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from training_parts import assert_equal_weights, build, train_killed, weights
from transformers import CLIPModel, CLIPProcessor

from shieldclip.errors import ShieldCLIPError
from shieldclip.training import run
from shieldclip.training.engine.arguments import training_arguments
from shieldclip.training.engine.logs import read_log
from shieldclip.training.learner import Material, make_learner
from shieldclip.training.pairs.opening import open_pairs
from shieldclip.training.recipe.resolved import resolved
from shieldclip.training.run import train

SHIELD = {"name": "semantic-shield", "warm_up": 0.3}
MATCHED = {"name": "shield", "transport": {"risk": 0.0, "views": 0.5, "negatives": 3}}
SAFE = {"name": "safeclip", "unimodal_epochs": 0, "clip_epochs": 1, "growth": 0.2, "bank": 8}
RESNET = {"image_tower": "resnet10t", "heads": None}
POISON = {"poison": "dirty-label", "target": "red", "count": 4, "trigger": "badnet",
          "image_size": 32}  # fmt: skip


def test_run_folder_holds_what_the_contract_says(record, tmp_path):
    recipe = build(record, defence=SHIELD, data={"poison": POISON}, log={"early": 0.3})
    measured = []

    def evaluate(folder: Path) -> dict[str, float]:
        measured.append(sorted(path.name for path in folder.iterdir()))
        return {"ca@1": [0.5, 0.2][len(measured) - 1]}

    train(recipe, tmp_path / "run", evaluate)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"recipe.yaml", "log.jsonl", "tensorboard", "manifest.jsonl", "training_state",
                     "last", "best", "early"}  # fmt: skip
    assert yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text())["seed"] == 0
    assert len((tmp_path / "run" / "manifest.jsonl").read_text().splitlines()) == 4
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    for folder in ("last", "best", "early"):
        files = {path.name for path in (tmp_path / "run" / folder).iterdir()}
        assert files == {"config.json", "model.safetensors", "processor_config.json",
                         "tokenizer.json", "tokenizer_config.json"}  # fmt: skip
    assert len(measured) == 2
    # The first evaluation was the better one.
    scales = [
        load_file(tmp_path / "run" / folder / "model.safetensors")["logit_scale"].item()
        for folder in ("last", "best", "early")
    ]
    assert len(set(scales)) == 3
    CLIPProcessor.from_pretrained(tmp_path / "run" / "last")
    CLIPModel.from_pretrained(tmp_path / "run" / "last")


def test_pairs_that_cannot_be_read_are_told_and_counted(record, picture_folder, tmp_path, capsys):
    broken = tmp_path / "pictures"
    shutil.copytree(picture_folder, broken)
    sorted(broken.glob("*.png"))[0].write_bytes(b"nothing")
    train(build(record, data={"sources": str(broken)}), tmp_path / "run")
    assert read_log(tmp_path / "run")[0]["skipped_pictures"] == 1
    assert "Left out 1 of 40 pairs" in capsys.readouterr().err


def test_log_lines_are_flat_and_their_terms_add_up(record, tmp_path):
    train(build(record, defence=SHIELD, data={"poison": POISON}), tmp_path)
    lines = [line for line in read_log(tmp_path) if "loss" in line]
    assert [line["step"] for line in lines] == [2, 4, 6]
    for line in lines:
        assert all(isinstance(value, (int, float)) for value in line.values())
        terms = [value for name, value in line.items() if name.startswith("loss/")]
        assert len(terms) == 3
        assert sum(terms) == pytest.approx(line["loss"], abs=1e-5)
        assert {"seconds", "epoch", "learning_rate", "images_per_second"} <= line.keys()
        assert {"evidence/clean", "weight/clean"} <= line.keys()
    # Warm-up is 0.3 of six steps: the first two steps have weights of 1.
    assert lines[0]["weight/clean"] == pytest.approx(1)
    assert lines[0]["set_aside/clean"] == 0
    assert any("evidence/poison" in line for line in lines)


def test_training_learns(record, tmp_path):
    recipe = build(record, optimiser={"samples": 800, "learning_rate": 3e-3})
    train(recipe, tmp_path)
    losses = [line["loss"] for line in read_log(tmp_path) if "loss" in line]
    # Nine captions among eight random ones of a batch: chance is log 8, and some are equal.
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize(
    "groups",
    [
        {"defence": SHIELD, "optimiser": {"ema": 0.9}},
        {"optimiser": {"accumulation": 2, "samples": 96}},
        {"model": {"patch_keep": 0.5}, "data": {"augmentation": {"shift": 0.1, "hue": 0.1}}},
        {"optimiser": {"precision": "bf16"}, "data": {"workers": 1}},
        {"defence": MATCHED, "model": {"patch_keep": 0.5}},
        {"defence": {"name": "otcclip", "risk": 0.0, "match_every": 2}},
        {"defence": {"name": "roclip", "bank": 16, "first_match": 0}},
        {"defence": SAFE, "optimiser": {"samples": 96}},
        {"defence": "par", "model": {"patch_keep": 0.5}},
    ],
    ids=[
        "shield-ema",
        "accumulation",
        "patches",
        "bf16-workers",
        "matched",
        "match-kept",
        "roclip",
        "safeclip",
        "par",
    ],
)
def test_killed_and_resumed_equals_uninterrupted(record, tmp_path, monkeypatch, groups):
    recipe = build(record, **groups)
    train(recipe, tmp_path / "whole")
    # Six steps of an epoch of five: the kill at step 5 comes after the state of step 3.
    # Twelve of them, four more epochs begun: at step 8, after the state of step 6.
    steps = recipe.optimiser.samples // (8 * recipe.optimiser.accumulation)
    train_killed(monkeypatch, recipe, tmp_path / "halted", steps // 2 + 2)
    assert not (tmp_path / "halted" / "training_state" / f"checkpoint-{steps}").exists()
    train(recipe, tmp_path / "halted")
    assert_equal_weights(tmp_path / "whole", tmp_path / "halted")
    whole, halted = (read_log(tmp_path / name) for name in ("whole", "halted"))
    assert [line["step"] for line in whole] == [line["step"] for line in halted]
    assert whole[-1]["loss"] == halted[-1]["loss"]


def test_matching_logs_what_it_does_to_clean_and_poisoned_pairs(record, tmp_path):
    every_pair = {"name": "otcclip", "risk": 0.0, "intra": 0.5}
    train(build(record, defence=every_pair, data={"poison": POISON}), tmp_path)
    first, *_, last = (line for line in read_log(tmp_path) if "loss" in line)
    assert first["plan/recaptioned/clean"] == first["plan/recaptioned/poison"] == 1
    assert 0 <= first["plan/auc"] <= 1
    assert last["loss/inter"] > 0
    assert last["loss/intra"] > 0


def test_slow_epochs_are_slow_and_logged_so(record, tmp_path):
    optimiser = {"samples": 80, "warm_up": 0}
    for name, defence in (("plain", {"name": "plain"}), ("slow", {**SAFE, "clip_rate": 0.01})):
        train(
            build(record, defence=defence, optimiser=optimiser, log={"every": 1}), tmp_path / name
        )
    plain, slow = (
        {line["step"]: line for line in read_log(tmp_path / name)} for name in ("plain", "slow")
    )
    # The rate of a line is that of the next step. The first epoch of five steps is slow.
    paces = [slow[step]["learning_rate"] / plain[step]["learning_rate"] for step in range(1, 10)]
    assert paces == pytest.approx([0.01] * 4 + [1] * 5)
    # Pairs that are set aside, and only these, have a loss without captions.
    assert slow[1]["weight"] == 1
    assert slow[1]["loss/images"] == 0
    assert slow[6]["weight"] < 1
    assert slow[6]["loss/images"] > 0


def test_a_seed_decides_everything(record, tmp_path):
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        train(build(record, seed=seed), tmp_path / name)
    assert_equal_weights(tmp_path / "one", tmp_path / "again")
    assert not torch.equal(*(weights(tmp_path / n)["visual_projection.weight"]
                             for n in ("one", "other")))  # fmt: skip


def test_number_of_workers_changes_nothing(record, tmp_path):
    augmentation = {"brightness": 0.3, "flip": True, "crop": 0.7}
    for workers in (0, 2):
        data = {"augmentation": augmentation, "workers": workers}
        train(build(record, data=data), tmp_path / str(workers))
    assert_equal_weights(tmp_path / "0", tmp_path / "2")


def test_exported_weights_are_the_moving_average(record, tmp_path):
    train(build(record, optimiser={"ema": 0.5}), tmp_path / "ema")
    train(build(record), tmp_path / "own")
    state = tmp_path / "ema" / "training_state" / "checkpoint-6"
    average = load_file(state / "average.safetensors")
    name = "visual_projection.weight"
    torch.testing.assert_close(weights(tmp_path / "ema")[name], average[name])
    own = load_file(state / "model.safetensors")[name]
    torch.testing.assert_close(own, weights(tmp_path / "own")[name])
    assert not torch.equal(own, average[name])


def test_another_recipe_does_not_continue_a_run(record, tmp_path):
    train(build(record), tmp_path)
    with pytest.raises(ShieldCLIPError, match="another --out"):
        train(build(record, seed=3), tmp_path)


def test_a_resumed_run_may_be_measured_and_logged_otherwise(record, tmp_path, monkeypatch):
    train(build(record), tmp_path / "whole")
    train_killed(monkeypatch, build(record, about={"summary": "old"}), tmp_path / "halted", 5)
    changed = {"about": {}, "evaluation": {"every": 0.25, "best": "probe"}}
    recipe = build(record, **changed, log={"every": 1, "save_every": 0.2})
    measured = []

    def evaluate(folder: Path) -> dict[str, float]:
        measured.append(folder)
        return {"probe": 0.5}

    train(recipe, tmp_path / "halted", evaluate)
    assert_equal_weights(tmp_path / "whole", tmp_path / "halted")
    assert len(measured) == 2  # steps 4 and 6 of those after 3
    assert (tmp_path / "halted" / "best").exists()
    losses = [line["step"] for line in read_log(tmp_path / "halted") if "loss" in line]
    assert losses == [2, 4, 5, 6]
    written = yaml.safe_load((tmp_path / "halted" / "recipe.yaml").read_text())
    assert written == resolved(recipe).model_dump(mode="json")
    for other in ({"seed": 1}, {"data": {"workers": 1}}, {"optimiser": {"samples": 64}}):
        with pytest.raises(ShieldCLIPError, match="another --out"):
            train(build(record, **other), tmp_path / "halted")


def test_a_finished_run_stays_as_it_is(record, tmp_path):
    recipe = build(record)
    train(recipe, tmp_path)
    before, lines = weights(tmp_path), read_log(tmp_path)
    train(recipe, tmp_path)
    assert all(torch.equal(before[name], value) for name, value in weights(tmp_path).items())
    assert read_log(tmp_path) == lines


def test_head_is_frozen_where_losses_do_not_use_it(record, tmp_path):
    train(build(record), tmp_path / "plain")
    train(build(record, defence=SHIELD), tmp_path / "shield")
    name = "knowledge_head.log_knowledge_scale"
    start = -torch.tensor(0.07).log()
    torch.testing.assert_close(weights(tmp_path / "plain")[name], start)
    assert weights(tmp_path / "shield")[name] != start


def test_a_sentence_encoder_can_embed_the_elements(record, tiny_sentence_encoder, tmp_path):
    spec = {"encoder": str(tiny_sentence_encoder)}
    plus = {"name": "semantic-shield-plus"}
    train(build(record, defence=plus, knowledge=spec), tmp_path / "run")
    slow = {"learning_rate": 1e-30}
    train(build(record, defence=plus, knowledge=spec, optimiser=slow), tmp_path / "start")
    name = "knowledge_head.projection.weight"
    after, before = weights(tmp_path / "run")[name], weights(tmp_path / "start")[name]
    assert after.shape == (8, 12)
    assert (after - before).abs().max() > 1e-4
    CLIPModel.from_pretrained(tmp_path / "run" / "last")
    # Whoever goes on from there may let the text tower embed them again, or keep the map.
    start = {"pretrained": str(tmp_path / "run" / "last")}
    on = build(record, defence=plus, model=start)
    train(on, tmp_path / "on")
    assert name not in weights(tmp_path / "on")
    on = build(record, defence=plus, model=start, knowledge=spec, optimiser=slow)
    train(on, tmp_path / "kept")
    torch.testing.assert_close(weights(tmp_path / "kept")[name], after)


@pytest.mark.parametrize("frozen", ["image", "text"])
@pytest.mark.parametrize("tower", [{}, RESNET], ids=["vit", "resnet"])
def test_a_frozen_tower_stays_as_it_was(record, tmp_path, frozen, tower):
    recipe = build(record, model={**tower, "frozen": [frozen]}, seed=1)
    captions = open_pairs(recipe.data, 16).captions
    before = make_learner(recipe, Material(lambda: captions)).model.state_dict()
    train(recipe, tmp_path)
    after = weights(tmp_path)
    parts = {"image": ("vision_model", "visual_projection"), "text": ("text_model", "text_proj")}
    for name in after:
        if not name.startswith("knowledge_head"):
            moved = (after[name] - before[name]).abs().max() > 1e-9
            assert moved != name.startswith(parts[frozen]), name


def test_loss_that_is_not_a_number_stops_the_run(record, tmp_path):
    recipe = build(record, optimiser={"learning_rate": 1e30, "gradient_clip": 0.0, "warm_up": 0})
    with pytest.raises(ShieldCLIPError, match="finite loss"):
        train(recipe, tmp_path)


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ({"optimiser": {"batch_size": 64}}, "batch of 64 pairs, got 40"),
        ({"optimiser": {"samples": 4}}, "at least one step"),
        ({"defence": {"name": "plan"}}, "Did you mean 'plain'"),
        ({"defence": {"name": "semantic-shield", "warmup": 1}}, "Did you mean 'warm_up'"),
        ({"model": {"pretrained": "/nowhere"}}, "pretrained CLIP at '/nowhere'"),
        ({"model": {"image_tower": "resnet5000"}}, "resnet5000"),
        ({"model": {"width": 18, "heads": 4}}, r"divide model.width=18, got 4; set model.heads=3"),
        ({"model": {"width": 100, "heads": None}}, "model.width=100, got 3; set model.heads=2"),
        ({"model": {"text_heads": 3}}, "divide model.text_width=16, got 3; set model.text_heads=2"),
        ({"model": {"activation": "quik_gelu"}}, "Did you mean 'quick_gelu'"),
        ({"model": {"patch_size": 17}}, "at most the 16 pixels of model.image_size, got 17"),
        ({"model": {**RESNET, "heads": 7}}, "the 512 channels of resnet10t, got 7"),
        ({"model": {**RESNET, "patch_size": 10}}, "among 8, 16, 32 with resnet10t, got 10"),
        ({"model": {**RESNET, "image_size": 48, "patch_size": 32}}, "set model.image_size=64"),
        ({"data": {"streaming": True}, "defence": {"name": "roclip"}}, "which has no epochs"),
    ],
)
def test_what_cannot_be_done_is_said(record, tmp_path, groups, says):
    with pytest.raises(ShieldCLIPError, match=says):
        train(build(record, **groups), tmp_path)


def test_a_process_that_sees_two_gpus_trains_on_one_and_says_so(record, tmp_path, monkeypatch):
    def seeing_two(*given):
        args = training_arguments(*given)
        args._n_gpu = 2
        return args

    def split(*_):
        raise AssertionError("a batch lost half of its negatives")

    monkeypatch.setattr(run, "training_arguments", seeing_two)
    monkeypatch.setattr(torch.nn.DataParallel, "__init__", split)
    with pytest.warns(UserWarning, match="torchrun --standalone --nproc_per_node 2 ") as warned:
        train(build(record), tmp_path)
    assert sum("nproc_per_node" in str(warning.message) for warning in warned) == 1


def test_two_processes_train_as_one(record, tmp_path):
    recipe = build(record, defence=SHIELD)
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    train(recipe, tmp_path / "one")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    shieldclip = ["-m", "shieldclip", "train", str(path), "--out", str(tmp_path / "two")]
    command = [*torchrun, "--nproc_per_node", "2", *shieldclip]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert_equal_weights(tmp_path / "one", tmp_path / "two", atol=1e-5, rtol=0)
    losses = [[line["loss"] for line in read_log(tmp_path / name) if "loss" in line]
              for name in ("one", "two")]  # fmt: skip
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    state = json.loads(
        (tmp_path / "two" / "training_state" / "checkpoint-6" / "trainer_state.json").read_text()
    )
    assert state["global_step"] == 6
