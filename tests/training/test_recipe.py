"""Recipes: strict, with overrides, and every shipped one can do its first steps."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path

import datasets
import pytest
import yaml
from click.testing import CliRunner
from training_parts import CAPTIONS, build, png, weights, write_tar

from shieldclip.cli.knowledge import knowledge
from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import load_knowledge
from shieldclip.modeling import ShieldCLIPModel
from shieldclip.training.defences import DEFENCES, make_defence
from shieldclip.training.engine.logs import read_log
from shieldclip.training.estimate import describe, estimate
from shieldclip.training.recipe import Recipe, load_recipe, shipped_recipes
from shieldclip.training.recipe.resolved import resolved
from shieldclip.training.run import train

FULL_SCALE = {"coco-vit-b32", "flickr30k-rn50", "cc3m-vit-b32"}


@pytest.fixture
def path(record, tmp_path) -> str:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(record))
    return str(file)


def test_overrides_reach_any_depth_and_are_checked(path):
    recipe = load_recipe(
        path,
        ["optimiser.batch_size=4", "data.augmentation.hue=0.5", "defence.name=semantic-shield",
         "defence.warm_up=0.5", "data.poison=null", "optimiser.betas=[0.8, 0.9]"],
        source="elsewhere",
    )  # fmt: skip
    assert recipe.optimiser.batch_size == 4
    assert recipe.optimiser.betas == (0.8, 0.9)
    assert recipe.data.augmentation.hue == 0.5
    assert recipe.defence == {"name": "semantic-shield", "warm_up": 0.5}
    assert recipe.data.sources[0].source == "elsewhere"


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("optimiser.batchsize=4", "Did you mean 'batch_size'"),
        ("optimizer.epochs=4", "Did you mean 'optimiser'"),
        ("data.augmentation.hues=1", "Did you mean 'hue'"),
        ("optimiser.batch_size=many", "optimiser.batch_size: .*got 'many'"),
        ("optimiser.batch_size=1", "greater than 1"),
        ("model.context=1", "greater than 1"),
        ("optimiser.epochs=3", "exactly one of epochs and samples"),
        ("optimiser.batch_size.x=1", "Expected keys below 'batch_size'"),
        ("seed", "Expected key=value"),
        ("seed=[", "Expected a YAML value"),
        ("data.poison={}", None),
        ("model.patch_keep=0", "greater than 0"),
        ("data.sources=[]", "at least one source"),
    ],
)
def test_what_does_not_fit_is_named(path, override, says):
    if says is None:
        load_recipe(path, [override])
        return
    with pytest.raises(ShieldCLIPError, match=says) as caught:
        load_recipe(path, [override])
    assert "\n" not in str(caught.value)


def test_own_data_are_not_poisoned_unless_asked():
    shown = load_recipe("finetune-plain")
    assert shown.data.poison is not None
    own = load_recipe("finetune-plain", source="./pairs")
    assert own.data.poison is None
    assert own.evaluation.suite is None
    assert own.data.augmentation == shown.data.augmentation
    asked = load_recipe("finetune-plain", ["data.poison=mine.yaml"], "./pairs")
    assert asked.data.poison == "mine.yaml"


def test_poisoning_a_stream_is_refused(path):
    with pytest.raises(ShieldCLIPError, match="run `shieldclip poison` before"):
        load_recipe(path, ["data.streaming=true", "data.poison={poison: dirty-label}"])
    with pytest.raises(ShieldCLIPError, match=r"knowledge.encoder needs pairs .* not a stream"):
        load_recipe(path, ["data.streaming=true", "data.poison=null", "knowledge.encoder=any"])


def test_unknown_recipes_are_told_from_missing_files(tmp_path):
    with pytest.raises(ShieldCLIPError, match="Did you mean 'plain'"):
        load_recipe("plian")
    with pytest.raises(ShieldCLIPError, match="does not exist"):
        load_recipe(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_shipped_recipes_say_what_a_reader_needs(name):
    recipe = load_recipe(name)
    make_defence(recipe.defence)
    for field in ("summary", "paper", "hardware", "time", "expected"):
        assert getattr(recipe.about, field), field
    if name in FULL_SCALE:
        assert "annot be run" in re.sub(r"\s+", " ", shipped_recipes()[name].read_text())
    assert Recipe.model_validate(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize("name", DEFENCES)
def test_a_resolved_recipe_has_every_setting_of_its_defence(path, name):
    recipe = load_recipe(path, [f"defence={name}"])
    full = resolved(recipe)
    assert set(full.defence) == {"name", *(field.name for field in fields(DEFENCES[name]))}
    assert make_defence(full.defence) == make_defence(recipe.defence)
    assert resolved(Recipe.model_validate(full.model_dump(mode="json"))) == full


def test_full_scale_recipes_are_there():
    assert FULL_SCALE | {"plain", "semantic-shield", "finetune-semantic-shield", "smoke"} <= set(
        shipped_recipes()
    )


def stand_in(name: str, folder: Path) -> str:
    """A few pairs in the columns that a full-scale recipe is written for."""

    if name == "cc3m-vit-b32":
        write_tar(folder / "0.tar", 24)
        return f"{folder}/*.tar"
    features = datasets.Features(
        {"image": datasets.Image(), "captions": datasets.List(datasets.Value("string"))}
    )
    rows = [{"image": {"bytes": png(n), "path": None}, "captions": [CAPTIONS[n % 3]] * 5}
            for n in range(24)]  # fmt: skip
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(folder / "train-0.parquet"))
    return f"{folder}/train*.parquet"


TINY = ["model.image_size=64", "model.width=32", "model.heads=2", "model.depth=2",
        "model.text_width=32", "model.text_heads=2", "model.text_depth=1", "model.joint_width=16",
        "model.tokenizer=captions", "optimiser.epochs=10", "optimiser.batch_size=8",
        "data.pairs=8", "evaluation.suite=null", "log.every=1", "data.workers=1"]  # fmt: skip


@pytest.mark.parametrize("name", sorted(FULL_SCALE))
def test_full_scale_recipes_take_ten_steps_on_a_stand_in(name, record, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0)
    known = f"knowledge.source={record['knowledge']['source']}"
    # ResNet-18 in float32 in place of ResNet-50 in bfloat16: the same code in a tenth of the time.
    small = ["model.image_tower=resnet18", "optimiser.precision=fp32"] if "rn50" in name else []
    recipe = load_recipe(name, [*TINY, *small, known], stand_in(name, tmp_path))
    assert "elements" in Path(recipe.knowledge.source).read_text()
    train(recipe, tmp_path / "run")
    assert [line["step"] for line in read_log(tmp_path / "run")] == list(range(1, 11))


def knowledge_command(name: str) -> list[str]:
    """Arguments of the command in a recipe's comments that makes its knowledge."""
    text = " ".join(shipped_recipes()[name].read_text().replace("\n#", " ").split())
    (command,) = re.findall("`shieldclip knowledge ([^`]+)`", text)
    return shlex.split(command)


@pytest.mark.parametrize("name", sorted(FULL_SCALE))
def test_full_scale_recipes_say_how_their_knowledge_is_made(name, record, tmp_path):
    given, recipe = knowledge_command(name), load_recipe(name)
    said = knowledge.make_context("knowledge", list(given)).params
    assert said["source"] == recipe.data.sources[0].source
    assert said["out"] == Path(recipe.knowledge.source)
    # What is known already stands in for a language model.
    out = str(tmp_path / "made.json")
    there = ["--from", "file", "--model", record["knowledge"]["source"], "--out", out]
    made = CliRunner().invoke(knowledge, [stand_in(name, tmp_path), *given[1:], *there])
    assert made.exit_code == 0, made.output
    assert set(load_knowledge(out).elements) == set(CAPTIONS)


@pytest.mark.parametrize("name", sorted(FULL_SCALE))
def test_full_scale_recipes_are_described_without_their_data(name, tmp_path, monkeypatch):
    """The whole model takes three steps, of two pairs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shieldclip.training.estimate._PROBE", 2)
    recipe = load_recipe(name)
    said = describe(recipe)
    assert yaml.safe_load(said) == resolved(recipe).model_dump(mode="json")
    batches = recipe.data.pairs // recipe.optimiser.batch_size
    steps = recipe.optimiser.epochs * batches
    assert f"# pairs:       {recipe.data.pairs:,}\n" in said
    assert f"# steps:       {steps:,} of {recipe.optimiser.batch_size} pairs" in said
    assert int(re.search("parameters:  ([0-9,]+)", said)[1].replace(",", "")) > 100_000_000


def test_estimate_of_the_sizes_in_a_recipe(record):
    small = build(record, data={"pairs": 1000}, optimiser={"samples": None, "epochs": 3})
    found = estimate(small)
    assert found.pairs == 1000
    assert found.length.batches_per_epoch == 125
    assert found.length.steps == 375
    assert found.seconds_per_step > 0
    wide = build(record, data={"pairs": 1000}, model={"width": 32})
    larger = estimate(wide)
    assert larger.parameters > found.parameters
    assert larger.memory > found.memory
    assert found.parameters - found.trained == 3  # the head, which plain CLIP does not train
    shield = estimate(build(record, data={"pairs": 1000}, defence={"name": "semantic-shield"}))
    assert shield.trained == shield.parameters
    par = estimate(build(record, data={"pairs": 1000}, defence={"name": "par"}))
    assert par.memory >= found.memory + 4 * par.parameters  # the frozen start
    twice = estimate(build(record, data={"pairs": 1000}, defence={"name": "cleanclip"}))
    assert twice.memory > found.memory


def test_estimate_counts_the_pairs_that_are_left(record):
    whole = estimate(build(record)).pairs
    parts = [estimate(build(record, data={"leave_out": f"{part}/2"})).pairs for part in (1, 2)]
    assert sum(parts) == whole
    assert min(parts) > 0


@pytest.mark.parametrize(
    "groups",
    [
        {"data": {"poison": {"poison": "dirty-label", "target": "red", "count": 4,
                             "trigger": "badnet", "image_size": 32, "captions": "templates",
                             "templates": ["quite another {}", "one of {}"]}}},
        {"model": {"image_tower": "resnet10t", "patch_size": 8}, "defence": {"name": "plain"}},
        {"optimiser": {"gradient_checkpointing": True}},
    ],
    ids=["poison", "resnet", "checkpointing"],
)  # fmt: skip
def test_an_estimate_counts_what_is_trained(record, tmp_path, groups):
    recipe = build({**record, "defence": {"name": "semantic-shield"}}, **groups)
    found = estimate(recipe)
    train(recipe, tmp_path)
    names = {
        name for name, _ in ShieldCLIPModel.from_pretrained(tmp_path / "last").named_parameters()
    }
    assert found.parameters == sum(weights(tmp_path)[name].numel() for name in names)
    assert found.length.steps == read_log(tmp_path)[-1]["step"]
    assert found.unread == ()


def test_checkpointing_takes_less_memory(record):
    groups = {"data": {"pairs": 1000}, "model": {"depth": 6}}
    kept = estimate(build(record, **groups))
    again = estimate(build(record, **groups, optimiser={"gradient_checkpointing": True}))
    assert again.memory < kept.memory


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ({"knowledge": {"source": "none.jsonl"}}, "none.jsonl"),
        ({"knowledge": {"source": "embedded:icon"}, "data": {"pairs": 99}}, "Did you mean 'icons'"),
        ({"defence": {"name": "roclip"}, "data": {"streaming": True, "pairs": 99}}, "no epochs"),
        ({"data": {"poison": {"poison": "dirty-lable"}}}, "Did you mean 'dirty-label'"),
        ({"data": {"manifest": "none.jsonl"}}, "none.jsonl"),
    ],
)
def test_an_estimate_refuses_what_training_refuses(record, tmp_path, groups, says):
    recipe = build({**record, "defence": {"name": "semantic-shield"}}, **groups)
    with pytest.raises(ShieldCLIPError, match=says):
        estimate(recipe)
    if recipe.data.pairs is None or recipe.data.streaming:
        with pytest.raises(ShieldCLIPError, match=says):
            train(recipe, tmp_path)


def test_an_estimate_needs_no_data_where_their_number_is_given(record, tmp_path):
    data = {"sources": str(tmp_path / "none"), "pairs": 1000}
    found = estimate(
        build(record, data=data, defence="semantic-shield", knowledge={"source": "none.parquet"})
    )
    assert found.pairs == 1000
    captions, knowledge = found.unread
    assert "captions" in captions
    assert "none.parquet" in knowledge
    clip = build(record, data={**data, "streaming": True}, model={"tokenizer": "clip"})
    assert estimate(clip).unread == ()


def test_a_stream_is_estimated_without_counting_it(record, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0)
    recipe = build(record, data={"sources": stand_in("coco", tmp_path), "streaming": True})
    found = estimate(recipe)
    assert found.pairs is None
    assert found.length.steps == 6
    assert "pairs:       unknown" in found.lines(recipe)
    train(recipe, tmp_path / "run")
    assert found.parameters == sum(value.numel() for value in weights(tmp_path / "run").values())


def test_every_defence_is_listed_by_its_name():
    assert {"plain", "semantic-shield"} <= set(DEFENCES)
