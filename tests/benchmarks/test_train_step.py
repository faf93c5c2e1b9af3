"""`benchmarks/train_step.py`: what counts as a CLIP step, as a part of a step, and as a ratio."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import CLIPImageProcessor

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from train_step import KEPT, Row, Table, as_text, row
from training_steps import LATE, Steps, clip_embeddings, detached, fill_banks, outputs

from shieldclip.modeling import ShieldCLIPConfig, ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.training.defences import DEFENCES, Defence, make_defence
from shieldclip.training.tokenizer import train_tokenizer

PAIRS, PATCHES = 4, 16
ELEMENTS = [["round", "red"], ["yellow", "long"], ["red", "wheel"], []]


@pytest.fixture(scope="module")
def model() -> ShieldCLIPModel:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    return ShieldCLIPModel(
        ShieldCLIPConfig(
            vision_config={**sizes, "num_hidden_layers": 2, "image_size": 32, "patch_size": 8},
            text_config={
                **sizes,
                "num_hidden_layers": 1,
                "vocab_size": 600,
                "max_position_embeddings": 8,
                "bos_token_id": 0,
                "eos_token_id": 1,
            },
            projection_dim=16,
        )
    ).train()


@pytest.fixture
def batch() -> dict[str, Tensor]:
    torch.manual_seed(1)
    tokenizer = train_tokenizer(["red round yellow long wheel"], 600, 8)
    ids = torch.randint(2, 500, (PAIRS, 6))
    ids[:, -1] = 1
    return {
        "row": torch.arange(PAIRS),
        "picture": torch.arange(PAIRS),
        "pixel_values": torch.randn(PAIRS, 3, 32, 32),
        "recaptioned": torch.zeros(PAIRS, dtype=torch.int64),
        "own_meaning": torch.zeros(PAIRS, dtype=torch.int64),
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        **ShieldCLIPProcessor(CLIPImageProcessor(), tokenizer).encode_elements(ELEMENTS),
    }


def seen_by(defence: Defence, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The batch with the second views that a defence wants."""
    again = torch.arange(round(PAIRS * defence.second_views))
    rows = torch.cat([torch.arange(PAIRS), again])
    names = ("pixel_values", "input_ids", "attention_mask")
    return {**batch, "again": again, **{name: batch[name][rows] for name in names}}


@pytest.mark.parametrize("kept", [PATCHES, PATCHES // 2])
def test_clip_step_embeds_as_the_model_does(
    model: ShieldCLIPModel, batch: dict[str, Tensor], kept: int
) -> None:
    if kept < PATCHES:
        batch["patch_index"] = torch.stack([torch.randperm(PATCHES)[:kept] for _ in range(PAIRS)])
    images, texts = clip_embeddings(model, batch)
    output = outputs(model, batch)
    torch.testing.assert_close(images, output.image_embeds, atol=1e-5, rtol=0)
    torch.testing.assert_close(texts, output.text_embeds, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", DEFENCES)
def test_losses_alone_are_the_losses_of_a_step(
    model: ShieldCLIPModel, batch: dict[str, Tensor], name: str
) -> None:
    first, second = (make_defence({"name": name}) for _ in range(2))
    batch = Steps(model).known(first, seen_by(first, batch))
    output = outputs(model, batch)
    alone = detached(output)
    fill_banks(first, width=16)
    second.load_state_dict(first.state_dict())
    together = first.losses(output, batch, LATE).total()
    apart = second.losses(alone, batch, LATE).total()
    apart.backward()
    torch.testing.assert_close(apart, together)
    assert alone.image_embeds is not None
    assert alone.image_embeds.grad is not None
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("name", DEFENCES)
def test_steps_leave_the_model_as_it_is(
    model: ShieldCLIPModel, batch: dict[str, Tensor], name: str
) -> None:
    before = {key: value.clone() for key, value in model.state_dict().items()}
    steps = Steps(model)
    defence = make_defence({"name": name})
    for work in (steps.clip(batch), steps.defended(defence, seen_by(defence, batch))):
        work()
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
        assert all(parameter.grad is None for parameter in model.parameters())


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that is ten times slower in one round changes nothing."""
    quiet = {
        "clip": 1.0,
        "clip losses": 0.1,
        "elements": 0.05,
        "plain": 1.02,
        "plain losses": 0.1,
        "plain batch": 0.2,
        "semantic-shield": 1.2,
        "semantic-shield losses": 0.2,
        "semantic-shield batch": 0.23,
    }
    rounds = [{name: slow * seconds for name, seconds in quiet.items()} for slow in (1, 10, 3)]
    shield, plain = (asdict(row(name, rounds, 0.5)) for name in ("semantic-shield", "plain"))
    assert shield == pytest.approx(asdict(Row(1.2, 0.05, 0.1, 0.02, 0.03, 0.5)))
    assert plain == pytest.approx(asdict(Row(1.02, 0, 0, 0.02, 0, 0.5)))


def test_table_names_every_defence_once() -> None:
    rows = {name: Row(1.25, 0.05, 0.1, 0.02, 0.03, 0.04) for name in DEFENCES}
    text = as_text({"model": "tiny"}, [Table(64, 287, 2.5, rows) for _ in KEPT])
    for name in DEFENCES:
        lines = [line.split() for line in text.splitlines() if line.startswith(f"{name} ")]
        assert lines == [[name, "1.250", "0.050", "0.100", "0.020", "0.030", "0.040"]] * len(KEPT)
