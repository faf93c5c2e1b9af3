"""A shielded checkpoint is a CLIP to everybody who loads it."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
import torch
from PIL import Image
from transformers import AutoModel, AutoProcessor, CLIPModel, CLIPProcessor, SiglipModel, pipeline
from transformers.utils import logging

from shieldclip.errors import ShieldCLIPError
from shieldclip.modeling import ShieldCLIPConfig, ShieldCLIPModel, ShieldCLIPProcessor


@pytest.fixture(scope="module")
def folder(tiny_clip_folder, tmp_path_factory):
    """A shielded copy of a plain CLIP with a head that has been trained."""
    shielded = ShieldCLIPModel.from_clip(tiny_clip_folder, knowledge_projection=True)
    torch.manual_seed(0)
    for parameter in shielded.knowledge_head.parameters():
        torch.nn.init.normal_(parameter)
    path = tmp_path_factory.mktemp("shielded")
    shielded.save_pretrained(path)
    ShieldCLIPProcessor.from_pretrained(tiny_clip_folder).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def inputs(folder):
    noise = torch.randint(256, (2, 40, 40, 3), generator=torch.Generator().manual_seed(0))
    pictures = [Image.fromarray(pixels.byte().numpy()) for pixels in noise]
    words = ["a red apple", "guitars on a blue wall, remember"]
    return CLIPProcessor.from_pretrained(folder)(
        images=pictures, text=words, padding=True, return_tensors="pt"
    )


def moved(model):
    """A copy in memory of its own: some CPUs round otherwise where weights lie as in their file."""
    return deepcopy(model)


def logits(model, inputs):
    with torch.no_grad():
        return moved(model).eval()(**inputs).logits_per_image


@pytest.mark.parametrize("loader", [ShieldCLIPModel, AutoModel, CLIPModel])
def test_every_loader_gives_the_plain_models_logits(loader, folder, inputs, tiny_clip_folder):
    plain = logits(CLIPModel.from_pretrained(tiny_clip_folder), inputs)
    assert torch.equal(logits(loader.from_pretrained(folder), inputs), plain)
    assert plain.std() > 0


def test_pipeline_gives_the_plain_models_scores(folder, tiny_clip_folder):
    picture = Image.new("RGB", (40, 30), "orange")
    answers = []
    for path in (folder, tiny_clip_folder):
        classify = pipeline("zero-shot-image-classification", model=str(path))
        classify.model = moved(classify.model)
        answers.append(classify(picture, candidate_labels=["apple", "guitar", "wall"]))
    assert answers[0] == answers[1]


def test_auto_model_knows_ours_and_restores_the_head(folder):
    model = AutoModel.from_pretrained(folder)
    assert type(model) is ShieldCLIPModel
    torch.manual_seed(0)
    for parameter in model.knowledge_head.parameters():
        assert torch.equal(parameter, torch.nn.init.normal_(torch.empty_like(parameter)))


def test_folder_holds_safetensors_and_names_no_class_but_clips_processor(folder):
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "processor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert type(AutoProcessor.from_pretrained(folder)) is CLIPProcessor
    assert json.loads((folder / "config.json").read_text())["architectures"] == ["ShieldCLIPModel"]


def test_loading_is_silent(folder, caplog):
    logging.enable_propagation()
    with caplog.at_level("WARNING"):
        AutoModel.from_pretrained(folder)
        ShieldCLIPModel.from_clip(CLIPModel(ShieldCLIPConfig.from_pretrained(folder)))
    logging.disable_propagation()
    assert not caplog.records


def test_fresh_head_has_the_configured_temperatures_and_changes_nothing(clip, batch):
    model = ShieldCLIPModel.from_clip(
        clip, knowledge_temperature=0.5, attention_temperature=0.25, knowledge_projection=True
    )
    output = model(**batch, element_input_ids=batch["input_ids"])
    assert output.knowledge_scale.item() == pytest.approx(2)
    assert output.attention_scale.item() == pytest.approx(4)
    assert output.knowledge_bias.item() == 0
    torch.testing.assert_close(output.element_embeds, output.text_embeds)


def test_elements_of_another_encoder_reach_the_patches_space(clip, batch):
    model = ShieldCLIPModel.from_clip(clip, knowledge_width=5)
    features = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    output = model(**batch, element_features=features)
    assert output.element_embeds.shape == (3, output.text_embeds.shape[1])
    # A fresh map turns and keeps angles, as wide a space allows.
    cosines = torch.nn.functional.normalize(features, dim=-1)
    torch.testing.assert_close(output.element_embeds @ output.element_embeds.T, cosines @ cosines.T)
    output.element_embeds.sum().backward()
    assert model.knowledge_head.projection.weight.grad.abs().sum() > 0


def test_fresh_weights_are_distributed_as_in_clip(clip):
    torch.manual_seed(0)
    ours, theirs = ShieldCLIPModel(ShieldCLIPConfig.from_clip(clip.config)), CLIPModel(clip.config)
    for name, parameter in theirs.named_parameters():
        own = ours.get_parameter(name)
        if parameter.ndim == 2:
            assert own.std().item() == pytest.approx(parameter.std().item(), rel=0.3), name
        elif "embedding" not in name:
            assert torch.equal(own, parameter), name


def test_from_clip_copies_the_weights(clip):
    model = ShieldCLIPModel.from_clip(clip)
    with torch.no_grad():
        model.logit_scale.add_(1)
    assert model.logit_scale != clip.logit_scale


def test_plain_checkpoint_loads_with_a_fresh_head(tiny_clip_folder):
    model, report = ShieldCLIPModel.from_pretrained(
        tiny_clip_folder,
        config=ShieldCLIPConfig.from_clip(CLIPModel.from_pretrained(tiny_clip_folder).config),
        output_loading_info=True,
    )
    assert all(key.startswith("knowledge_head.") for key in report["missing_keys"])
    assert model.knowledge_head.log_knowledge_scale.exp().item() == pytest.approx(1 / 0.07)


def test_half_precision_checkpoint_is_fine_tuned_in_full_precision(clip, tmp_path):
    clip.half().save_pretrained(tmp_path)
    assert {p.dtype for p in ShieldCLIPModel.from_clip(tmp_path).parameters()} == {torch.float32}


def test_scales_stay_bounded(clip):
    model = ShieldCLIPModel.from_clip(clip)
    with torch.no_grad():
        model.logit_scale.fill_(9)
        model.knowledge_head.log_knowledge_scale.fill_(1)
    model.bound_scales_()
    assert model.logit_scale.exp().item() == pytest.approx(100)
    assert model.knowledge_head.log_knowledge_scale.item() == 1


@pytest.mark.parametrize("field", ["knowledge_temperature", "attention_temperature"])
def test_temperature_must_be_positive(field):
    with pytest.raises(Exception, match=f"{field} > 0"):
        ShieldCLIPConfig(**{field: 0.0})


def test_fields_are_type_checked():
    with pytest.raises(Exception, match="knowledge_projection"):
        ShieldCLIPConfig(knowledge_projection="yes")
    with pytest.raises(Exception, match="knowledge_width >= 0, got -1"):
        ShieldCLIPConfig(knowledge_width=-1)


def test_what_is_no_clip_is_refused(tiny_siglip_folder, tmp_path):
    with pytest.raises(ShieldCLIPError, match="model_type 'siglip'"):
        ShieldCLIPModel.from_clip(tiny_siglip_folder)
    with pytest.raises(ShieldCLIPError, match="Cannot load a CLIP"):
        ShieldCLIPModel.from_clip(tmp_path)
    with pytest.raises(ShieldCLIPError, match="Expected a CLIPModel, got SiglipModel"):
        ShieldCLIPModel.from_clip(SiglipModel.from_pretrained(tiny_siglip_folder))


@pytest.mark.parametrize(
    "fields",
    [
        {"knowledge_projection": False},
        {"knowledge_width": 5},
        {"image_tower": "resnet10t"},
        {"projection_dim": 4},
    ],
)
def test_fields_that_weights_do_not_fit_are_refused(clip, fields):
    shielded = ShieldCLIPModel.from_clip(clip, knowledge_projection=True)
    with pytest.raises(ShieldCLIPError, match=f"{next(iter(fields))}.* does not fit"):
        ShieldCLIPModel.from_clip(shielded, **fields)


def test_incomplete_checkpoint_is_refused(clip, tmp_path):
    from safetensors.torch import load_file, save_file

    clip.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ShieldCLIPError, match=r"first: visual_projection\.weight"):
        ShieldCLIPModel.from_clip(tmp_path)
