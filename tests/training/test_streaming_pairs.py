"""Shards are trained on as they come, by any number of readers, and never twice too often."""

from __future__ import annotations

from pathlib import Path

import datasets
import pytest
import torch
from safetensors.torch import load_file
from training_parts import CAPTIONS, assert_equal_weights, build, png, train_killed, write_tar

from shieldclip.errors import ShieldCLIPError
from shieldclip.modeling import ShieldCLIPProcessor
from shieldclip.training.model_setup import set_up
from shieldclip.training.pairs.batches import Preparation
from shieldclip.training.pairs.feed import stream_captions
from shieldclip.training.pairs.streaming import PairStream, open_stream
from shieldclip.training.recipe.schema import Augmentation, DataSpec, ModelSpec
from shieldclip.training.run import train


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """The library sleeps five seconds at the end of a stream of parquet."""
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0)


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    """Three parquet shards of eight rows: one bad picture, one row of two captions."""
    folder = tmp_path_factory.mktemp("shards")
    features = datasets.Features(
        {"image": datasets.Image(), "captions": datasets.List(datasets.Value("string"))}
    )
    for shard in range(3):
        rows = [
            {
                "image": {"bytes": b"broken" if n == 3 else png(n), "path": None},
                "captions": [CAPTIONS[n % 3]] + (["a picture"] if n == 5 else []),
            }
            for n in range(8 * shard, 8 * shard + 8)
        ]
        datasets.Dataset.from_list(rows, features=features).to_parquet(
            str(folder / f"part-{shard}.parquet")
        )
    return folder


@pytest.fixture(scope="module")
def processor() -> ShieldCLIPProcessor:
    spec = ModelSpec(image_size=16, width=8, depth=1, heads=1, text_width=8, text_depth=1,
                     text_heads=1, joint_width=4)  # fmt: skip
    return set_up(spec, CAPTIONS, 0)[1]


def stream(folder: Path, processor, rank: int = 0, world: int = 1, share: int = 4) -> PairStream:
    spec = DataSpec(sources=f"{folder}/*.parquet", streaming=True, shuffle_buffer=4)
    preparation = Preparation(processor, Augmentation(brightness=0.5), seed=0)
    return PairStream(open_stream(spec, 0, rank, world), share, 16, preparation)


def take(pairs: PairStream, batches: int) -> dict[int, torch.Tensor]:
    """Pixels of the first batches by row key."""
    found = {}
    for batch, _ in zip(pairs, range(batches), strict=False):
        found |= dict(zip(batch["row"].tolist(), batch["pixel_values"], strict=True))
    return found


def test_processes_share_the_pairs_and_see_them_alike(shards, processor):
    alone = take(stream(shards, processor, share=23), 1)
    assert len(alone) == 23
    parts = [take(stream(shards, processor, rank, 3, share=7), 1) for rank in range(3)]
    together = {key: pixels for part in parts for key, pixels in part.items()}
    assert sum(map(len, parts)) == len(together)
    for key, pixels in together.items():
        assert torch.equal(pixels, alone[key])


def test_an_epoch_visits_each_pair_once_and_the_next_otherwise(shards, processor):
    pairs = iter(stream(shards, processor, share=23))
    first, second = next(pairs), next(pairs)
    assert sorted(first["row"].tolist()) == sorted(second["row"].tolist())
    assert first["row"].tolist() != second["row"].tolist()
    assert int(first["bad"]) == 1
    place = second["row"].tolist().index(int(first["row"][0]))
    assert not torch.equal(first["pixel_values"][0], second["pixel_values"][place])


def test_bad_pictures_beyond_a_share_are_an_error(tmp_path, processor):
    rows = [{"image": {"bytes": b"x" if n % 2 else png(n), "path": None}, "caption": "a bar"}
            for n in range(200)]  # fmt: skip
    features = datasets.Features({"image": datasets.Image(), "caption": datasets.Value("string")})
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(tmp_path / "x.parquet"))
    with pytest.raises(ShieldCLIPError, match="readable pairs"):
        take(stream(tmp_path, processor), 40)


def test_rows_without_a_caption_are_skipped_from_the_tokenizer_on(tmp_path, record):
    captions = ["a bar", None, " ", "a square"] * 6
    rows = [{"image": {"bytes": png(n), "path": None}, "caption": caption}
            for n, caption in enumerate(captions)]  # fmt: skip
    features = datasets.Features({"image": datasets.Image(), "caption": datasets.Value("string")})
    shards = tmp_path / "shards"
    shards.mkdir()
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(shards / "x.parquet"))
    recipe = build(record, data={"sources": f"{shards}/*.parquet", "streaming": True, "pairs": 12})
    assert {text for own in stream_captions(recipe) for text in own} == {"a bar", "a square"}


def test_web_dataset_shards(tmp_path, record):
    for shard in range(2):
        write_tar(tmp_path / f"{shard}.tar", 8)
    data = {"sources": f"{tmp_path}/*.tar", "streaming": True, "workers": 1}
    train(build(record, data=data), tmp_path / "run")
    assert (tmp_path / "run" / "last" / "model.safetensors").exists()


def test_resumed_stream_equals_uninterrupted(shards, record, tmp_path, monkeypatch):
    data = {"sources": f"{shards}/*.parquet", "streaming": True, "pairs": 23}
    recipe = build(record, data=data, defence={"name": "semantic-shield"})
    train(recipe, tmp_path / "whole")
    train_killed(monkeypatch, recipe, tmp_path / "halted", 5)
    train(recipe, tmp_path / "halted")
    assert_equal_weights(tmp_path / "whole", tmp_path / "halted")
    assert load_file(tmp_path / "whole" / "last" / "model.safetensors")


def test_epochs_of_a_stream_need_a_count(shards, record, tmp_path):
    data = {"sources": f"{shards}/*.parquet", "streaming": True}
    with pytest.raises(ShieldCLIPError, match=r"data\.pairs"):
        train(build(record, data=data, optimiser={"samples": None, "epochs": 1}), tmp_path)
