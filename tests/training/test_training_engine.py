"""Parts of the engine: means in the log, moving averages, tokenizers, defences on their own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn
from training_parts import COLOURS, build

from shieldclip.attacks.triggers import make_trigger
from shieldclip.errors import ShieldCLIPError
from shieldclip.modeling import ShieldCLIPModel
from shieldclip.training.defences import EpochPlan, LossTerms, Moment, make_defence
from shieldclip.training.engine.callbacks import milestones
from shieldclip.training.engine.clock import processor_seconds
from shieldclip.training.engine.ema import WeightAverage
from shieldclip.training.engine.frozen_start import FrozenStart
from shieldclip.training.engine.logs import RunLog, read_log
from shieldclip.training.engine.meters import Meters
from shieldclip.training.engine.plan_figures import plan_figures
from shieldclip.training.engine.trigger_patches import TriggerPatches
from shieldclip.training.model_setup import set_up
from shieldclip.training.pairs.opening import open_pairs
from shieldclip.training.pairs.pixels import decode_all
from shieldclip.training.pairs.view import ModelView
from shieldclip.training.tokenizer import clip_tokenizer, train_tokenizer

TEXTS = [f"a {colour} thing" for colour in COLOURS]


def test_meters_average_what_is_known_apart_for_poisoned_pairs():
    meters = Meters(poisoned=torch.tensor([False, True, False, True]))
    for rows, evidence in (([0, 1], [1.0, -1.0]), ([2, 0], [torch.nan, 4.0])):
        terms = LossTerms({"a": torch.tensor(float(len(rows)))}, evidence=torch.tensor(evidence))
        meters.add_terms(terms, torch.tensor(rows))
    assert meters.read() == {"loss/a": 2, "evidence/clean": 2.5, "evidence/poison": -1}
    assert meters.read() == {}


def test_moving_average_follows_its_formula():
    model = nn.Linear(2, 2)
    average = WeightAverage(model, 0.75)
    expected = model.weight.detach().clone()
    for _ in range(3):
        with torch.no_grad():
            model.weight.add_(1)
        average.update(model)
        expected = 0.75 * expected + 0.25 * model.weight.detach()
    own = model.weight.detach().clone()
    with average.applied_to(model):
        torch.testing.assert_close(model.weight.detach(), expected)
    assert torch.equal(model.weight, own)


@given(steps=st.integers(1, 500), every=st.floats(0.01, 1))
def test_milestones_lie_within_the_run_and_end_it(steps, every):
    found = milestones(steps, every)
    assert max(found) == steps
    assert min(found) >= 1
    assert len(found) <= 1 / every + 2


def test_milestones_of_a_tenth():
    assert milestones(100, 0.1) == frozenset(range(10, 101, 10))


def test_log_goes_on_from_the_resumed_step(tmp_path):
    log = RunLog(tmp_path)
    for step in (1, 2, 3):
        log.write(step, {"loss": float(step)})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')  # a kill in the middle of a line
    again = RunLog(tmp_path, step=2)
    again.write(3, {"loss": 0.5})
    lines = read_log(tmp_path)
    assert [(line["step"], line["loss"]) for line in lines] == [(1, 1), (2, 2), (3, 0.5)]
    for name in ("seconds", "processor_seconds"):
        times = [line[name] for line in lines]
        assert times == sorted(times)


def test_processor_time_is_also_that_of_workers():
    before = processor_seconds()
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        worker.stdout.readline()
        alive = processor_seconds()
        worker.communicate(b"\n")
    assert alive - before > 0.4
    assert processor_seconds() >= alive


def test_clip_tokenizer_has_clips_ids():
    import open_clip

    ours = clip_tokenizer(77)
    texts = ["a photo of a banana.", "Two dogs, 12 trucks & a café!", "x" * 500]
    theirs = open_clip.get_tokenizer("ViT-B-32")(texts)
    tokens = ours(texts, padding="max_length", truncation=True, return_tensors="pt")
    assert len(ours) == 49408
    for own, expected in zip(tokens["input_ids"], theirs, strict=True):
        length = int(expected.argmax()) + 1
        assert own[:length].tolist() == expected[:length].tolist()


def test_trained_tokenizer_is_the_same_every_time_and_knows_all_texts():
    tokenizers = [train_tokenizer(TEXTS * 2, 700, 16) for _ in range(3)]
    assert len({json.dumps(t.get_vocab(), sort_keys=True) for t in tokenizers}) == 1
    for text in (*TEXTS, "quite unknown, as ünknown"):
        ids = tokenizers[0](text)["input_ids"]
        assert ids[-1] == tokenizers[0].eos_token_id
        decoded = tokenizers[0].decode(ids, skip_special_tokens=True)
        assert decoded.replace(" ", "") == text.replace(" ", "")
    assert len(train_tokenizer(TEXTS, 520, 16)) <= 520


def test_pretrained_models_keep_weights_and_processor(tiny_clip_folder, record, tmp_path):
    spec = build(record, model={"pretrained": str(tiny_clip_folder)}).model
    model, processor = set_up(spec, [], 0)
    assert processor.image_processor.crop_size["height"] == 32
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    again, _ = set_up(spec.model_copy(update={"pretrained": str(tmp_path)}), [], 1)
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_shielded_model_without_all_of_its_weights_is_refused(tiny_clip_folder, record, tmp_path):
    spec = build(record, model={"pretrained": str(tiny_clip_folder)}).model
    model, processor = set_up(spec, [], 0)
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    whole = load_file(file)
    again = spec.model_copy(update={"pretrained": str(tmp_path)})
    for name in ("visual_projection.weight", "knowledge_head.knowledge_bias"):
        rest = {key: value for key, value in whole.items() if key != name}
        save_file(rest, file, metadata={"format": "pt"})
        with pytest.raises(ShieldCLIPError, match=rf"first: {name}\); get a complete copy"):
            set_up(again, [], 0)
    save_file(whole, file, metadata={"format": "pt"})
    projected, _ = set_up(again, [], 0, knowledge_width=5)  # fresh: the folder has none
    assert projected.knowledge_head.projection.weight.shape == (16, 5)
    projected.save_pretrained(tmp_path)
    rest = load_file(file)
    del rest["knowledge_head.projection.weight"]
    save_file(rest, file, metadata={"format": "pt"})
    with pytest.raises(ShieldCLIPError, match=r"first: knowledge_head\.projection\.weight"):
        set_up(again, [], 0, knowledge_width=5)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("processor_config.json", None, "Expected image processor settings beside the model"),
        ("tokenizer.json", None, "Expected a tokenizer with a vocabulary"),
        ("model.safetensors", b"", "Expected a pretrained CLIP"),
        ("config.json", b'{"model_type": "clip", "vision_config": {"num_attention_heads": 5}}',
         "Expected a pretrained CLIP"),
    ],
)  # fmt: skip
def test_a_damaged_pretrained_folder_is_refused(
    tiny_clip_folder, record, tmp_path, file, content, says
):
    for part in set_up(build(record, model={"pretrained": str(tiny_clip_folder)}).model, [], 0):
        part.save_pretrained(tmp_path)
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(ShieldCLIPError, match=says) as caught:
        set_up(build(record, model={"pretrained": str(tmp_path)}).model, [], 0)
    assert "\n" not in str(caught.value)


def test_trigger_patches_are_where_the_trigger_is():
    patches = TriggerPatches(make_trigger("badnet", placement="fixed"), 64, grid=8)
    covered = patches.covered(torch.arange(3))
    assert (covered == covered[0]).all()
    assert 1 <= covered[0].sum() <= 9
    attention = torch.full((3, 64), 1 / 64)
    poisoned = torch.tensor([True, False, True])
    shares = patches.attention(attention, torch.arange(3), poisoned, None)
    torch.testing.assert_close(shares[0], covered[0].sum() / 64)
    assert shares[1].isnan()
    seen = covered[0].nonzero()[:1, 0].expand(3, 1)
    assert patches.attention(attention[:, :1], torch.arange(3), poisoned, seen)[2] == 1 / 64
    everywhere = TriggerPatches(make_trigger("blended-noise"), 64, grid=8)
    assert everywhere.attention(attention, torch.arange(3), poisoned, None).isnan().all()


def test_a_frozen_start_stays_where_training_began(record):
    model, processor = set_up(build(record).model, TEXTS, 0)
    model.train()
    start = FrozenStart(model)
    inputs = {"pixel_values": torch.randn(3, 3, 16, 16), **processor(text=TEXTS)}
    began = model(**inputs)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    for part in ({}, {"patch_index": torch.tensor([[0, 2], [1, 3], [0, 1]])}):
        seen = start.embed({**inputs, **part})
        assert not seen["start_images"].requires_grad
        torch.testing.assert_close(seen["start_texts"], began.text_embeds, atol=1e-5, rtol=0)
        same = torch.allclose(seen["start_images"], began.image_embeds, atol=1e-5)
        assert same == (not part)
    assert not torch.allclose(model(**inputs).text_embeds, began.text_embeds, atol=1e-2)


def test_plan_figures_tell_poisons_apart():
    risk = {row: row / 4 for row in range(4)}
    poisoned = torch.tensor([False, False, False, True])
    plan = EpochPlan(captions={2: "new"}, weights={1: 0.0, 2: 0.5, 3: 0.0}, risk=risk)
    assert plan_figures(plan, poisoned) == pytest.approx(
        {"plan/recaptioned/clean": 1 / 3, "plan/recaptioned/poison": 0, "plan/auc": 1,
         "plan/set_aside/clean": 1 / 3, "plan/set_aside/poison": 1}
    )  # fmt: skip
    assert plan_figures(plan, None) == {"plan/recaptioned": 0.25, "plan/set_aside": 0.5}
    assert plan_figures(EpochPlan(captions={2: "new"}, risk=risk), None) == {
        "plan/recaptioned": 0.25
    }
    without = plan_figures(EpochPlan(rows=[0, 1, 3], risk=risk), poisoned)
    assert without["plan/left_out/clean"] == pytest.approx(1 / 3)
    assert without["plan/left_out/poison"] == 0
    assert plan_figures(EpochPlan(weights={1: 0.0}), poisoned) == {}


@pytest.fixture
def shield(record):
    """A model in training mode, its processor, and a batch with knowledge."""
    model, processor = set_up(build(record).model, TEXTS, 0)
    elements = [["warm", "colour"], ["cold", "colour"], []]
    batch = {
        "row": torch.arange(3),
        "pixel_values": torch.randn(3, 3, 16, 16),
        **processor(text=TEXTS),
        **processor.encode_elements(elements),
    }
    return model.train(), batch


def losses(model: ShieldCLIPModel, batch, progress: float = 0.5, **settings) -> LossTerms:
    names = ("input_ids", "attention_mask", "pixel_values", "element_input_ids",
             "element_attention_mask")  # fmt: skip
    output = model(**{name: batch[name] for name in names})
    defence = make_defence({"name": "semantic-shield", **settings})
    return defence.losses(output, batch, Moment(0, 0, progress))


def test_semantic_shield_trains_every_parameter_it_claims(shield):
    model, batch = shield
    losses(model, batch).total().backward()
    untouched = [name for name, p in model.named_parameters() if p.grad is None]
    assert untouched == []


def test_plain_is_clips_own_loss(shield):
    model, batch = shield
    names = ("input_ids", "attention_mask", "pixel_values")
    output = model(**{name: batch[name] for name in names}, return_loss=True)
    terms = make_defence({"name": "plain"}).losses(output, batch, Moment(0, 0, 0.0))
    torch.testing.assert_close(terms.total(), output.loss)


def test_semantic_shield_weighs_by_evidence_after_its_warm_up(shield):
    model, batch = shield
    early = losses(model, batch, progress=0.05)
    late = losses(model, batch, progress=0.5)
    assert early.weight.tolist() == [1, 1, 1]
    assert late.evidence[2].isnan()
    known = late.evidence[:2].clamp_min(0)
    expected = known / known.mean() if known.mean() > 0 else torch.ones(2)
    torch.testing.assert_close(late.weight[:2], expected.float())
    assert not late.weight.requires_grad


def test_weights_of_terms_scale_them(shield):
    model, batch = shield
    one = losses(model, batch)
    two = losses(model, batch, knowledge_weight=2.0, attention_weight=0.3)
    torch.testing.assert_close(two.terms["knowledge"], 2 * one.terms["knowledge"])
    torch.testing.assert_close(two.terms["attention"], 3 * one.terms["attention"])
    bce = losses(model, batch, attention_loss="bce")
    assert bce.terms["attention"] != one.terms["attention"]


def test_a_plan_sees_the_pairs_as_the_model_does(record, picture_folder: Path):
    opened = open_pairs(build(record).data, 16)
    model, processor = set_up(build(record).model, TEXTS, 0)
    model.train()
    view = ModelView(model, processor, decode_all(opened.rows, 16), opened.captions)
    images, texts = view.see_images(range(40)).features, view.read_texts(TEXTS)
    assert model.training
    assert images.whole.shape == (40, 8)
    assert images.patches.shape == (40, 4, 8)
    torch.testing.assert_close(view.see_images([7]).features.patches[0], images.patches[7])
    torch.testing.assert_close(texts.whole.norm(dim=-1), torch.ones(3))
    tokens = processor(text=TEXTS)
    local = model(**tokens, pixel_values=torch.zeros(3, 3, 16, 16), output_local=True)
    torch.testing.assert_close(texts.words.features, local.token_embeds[local.token_mask])
    assert not images.whole.requires_grad
    damaged = replace(view.pixels, readable=[row for row in range(40) if row != 9])
    assert replace(view, pixels=damaged).see_images([8, 9, 10]).readable.tolist() == [1, 0, 1]
