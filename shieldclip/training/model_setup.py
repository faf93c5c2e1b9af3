"""A recipe's model and processor: pretrained, or fresh."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoProcessor, CLIPImageProcessor, CLIPTokenizer

from shieldclip.drafts import drafted
from shieldclip.errors import ShieldCLIPError, in_one_line
from shieldclip.modeling import ShieldCLIPConfig, ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.modeling.pretrained import UNREADABLE, refuse_missing
from shieldclip.training.defences.base import Defence
from shieldclip.training.model_sizes import check_sizes, vit_heads
from shieldclip.training.recipe.schema import ModelSpec
from shieldclip.training.tokenizer import clip_tokenizer, train_tokenizer

_SHIPPED = "shieldclip:"
_ZOO = Path(__file__).parents[1] / "zoo"
_PROJECTION = "knowledge_head.projection.weight"
_PARTS = {
    "image": ("vision_model", "visual_projection"),
    "text": ("text_model", "text_projection"),
}
"""Modules of each tower."""


def set_up(
    spec: ModelSpec, texts: Iterable[str], seed: int, knowledge_width: int = 0
) -> tuple[ShieldCLIPModel, ShieldCLIPProcessor]:
    """The model to train, in float32, and the processor that belongs to it.

    Args:
        spec: what to build or load.
        texts: to train a tokenizer on, where a fresh model gets one of its own.
        seed: of fresh weights.
        knowledge_width: of `ShieldCLIPConfig`.

    Raises:
        ShieldCLIPError: not loadable, or sizes that do not fit each other.
    """
    torch.manual_seed(seed)
    if spec.pretrained is not None:
        return _load(spec, knowledge_width)
    check_sizes(spec)
    tokenizer = (
        clip_tokenizer(spec.context)
        if spec.tokenizer == "clip"
        else train_tokenizer(texts, spec.vocabulary, spec.context)
    )
    processor = ShieldCLIPProcessor(_image_processor(spec.image_size), tokenizer)
    return ShieldCLIPModel(_config(spec, tokenizer, knowledge_width)), processor


def _load(spec: ModelSpec, knowledge_width: int) -> tuple[ShieldCLIPModel, ShieldCLIPProcessor]:
    start = spec.pretrained or ""
    shipped = start.startswith(_SHIPPED)
    source = str(_ZOO / start.removeprefix(_SHIPPED)) if shipped else start
    head: dict[str, Any] = {"knowledge_width": knowledge_width}
    if spec.knowledge_projection:
        head["knowledge_projection"] = True
    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False)
        plain = AutoProcessor.from_pretrained(source, trust_remote_code=False)
        if isinstance(config, ShieldCLIPConfig):
            model = _load_shielded(source, config, head)
        else:
            model = ShieldCLIPModel.from_clip(source, **head)
    except UNREADABLE as error:
        reason = in_one_line(error, most=200)
        raise ShieldCLIPError(
            f"Expected a pretrained CLIP at {start!r}, got: {reason}; "
            "give the Hub id or folder of one, or a shipped one as shieldclip:NAME."
        ) from error
    return model, _shielded_processor(plain, start)


def _shielded_processor(plain: Any, source: str) -> ShieldCLIPProcessor:
    for part in ("image_processor", "tokenizer"):
        if not hasattr(plain, part):  # transformers falls back to the part that it finds
            raise ShieldCLIPError(
                f"Expected {part.replace('_', ' ')} settings beside the model in {source!r}, got "
                f"{type(plain).__name__} only; save the model's processor there as well."
            )
    if len(plain.tokenizer) <= len(plain.tokenizer.all_special_tokens):
        raise ShieldCLIPError(
            f"Expected a tokenizer with a vocabulary in {source!r}, got an empty one; save the "
            "model's processor there as well."
        )
    return ShieldCLIPProcessor(plain.image_processor, plain.tokenizer)


def _load_shielded(source: str, config: ShieldCLIPConfig, head: dict[str, Any]) -> ShieldCLIPModel:
    """A ShieldCLIP with all of its weights; a projection that it never had is fresh."""
    model, report = ShieldCLIPModel.from_pretrained(
        source, dtype=torch.float32, output_loading_info=True, **head
    )
    projected = config.knowledge_projection or config.knowledge_width
    refuse_missing(set(report["missing_keys"]) - (set() if projected else {_PROJECTION}), source)
    loaded: ShieldCLIPModel = model
    return loaded


def _image_processor(size: int) -> CLIPImageProcessor:
    """Resize and crop to the model's input, normalise with CLIP's constants."""
    return CLIPImageProcessor(
        size={"shortest_edge": size}, crop_size={"height": size, "width": size}
    )


def _config(spec: ModelSpec, tokenizer: CLIPTokenizer, knowledge_width: int) -> ShieldCLIPConfig:
    text = {
        "vocab_size": len(tokenizer),
        "hidden_act": spec.activation,
        "projection_dim": spec.joint_width,
        "hidden_size": spec.text_width,
        "intermediate_size": 4 * spec.text_width,
        "num_hidden_layers": spec.text_depth,
        "num_attention_heads": spec.text_heads,
        "max_position_embeddings": spec.context,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    shared: dict[str, Any] = {
        "text_config": text,
        "projection_dim": spec.joint_width,
        "knowledge_projection": spec.knowledge_projection,
        "knowledge_width": knowledge_width,
    }
    if spec.image_tower != "vit":
        return ShieldCLIPConfig.for_resnet(
            spec.image_tower, spec.image_size, spec.patch_size, spec.heads, **shared
        )
    vision = {
        "hidden_act": spec.activation,
        "projection_dim": spec.joint_width,
        "hidden_size": spec.width,
        "intermediate_size": 4 * spec.width,
        "num_hidden_layers": spec.depth,
        "num_attention_heads": vit_heads(spec),
        "image_size": spec.image_size,
        "patch_size": spec.patch_size,
    }
    return ShieldCLIPConfig(vision_config=vision, **shared)


def export(model: ShieldCLIPModel, processor: ShieldCLIPProcessor, folder: Path) -> None:
    """Write a model folder (safetensors, configuration, processor) and move it into place."""
    with drafted(folder) as draft:
        model.save_pretrained(draft)
        processor.save_pretrained(draft)


def freeze(model: ShieldCLIPModel, defence: Defence, spec: ModelSpec) -> None:
    """No gradient for towers that the recipe freezes, nor for what the losses do not use.

    Processes would wait for the latter's gradient.
    """
    used = defence.head_parameters()
    for name, parameter in model.knowledge_head.named_parameters():
        parameter.requires_grad_(name in used)
    for tower in spec.frozen:
        for part in _PARTS[tower]:
            model.get_submodule(part).requires_grad_(False)


def rest_frozen(model: ShieldCLIPModel, spec: ModelSpec) -> None:
    """Evaluation mode for frozen towers: in training mode a ResNet moves its statistics."""
    for tower in spec.frozen:
        for part in _PARTS[tower]:
            model.get_submodule(part).eval()


def patch_count(model: ShieldCLIPModel) -> int:
    """P of the image tower."""
    vision = model.config.vision_config
    return (int(vision.image_size) // int(vision.patch_size)) ** 2
