"""The losses train what they are meant to train in a real model."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.training.losses import (
    AttentionAlignmentBCELoss,
    AttentionAlignmentLoss,
    KnowledgeAlignmentLoss,
    gather_elements,
)

QUERY = "vision_model.encoder.layers.1.self_attn.q_proj.weight"
VALUE = "vision_model.encoder.layers.1.self_attn.v_proj.weight"
TOKENS = "text_model.embeddings.token_embedding.weight"


@pytest.fixture
def model(tiny_clip_folder):
    return ShieldCLIPModel.from_clip(tiny_clip_folder).train()


@pytest.fixture
def output_and_elements(model, tiny_clip_folder):
    """A forward pass over two pairs with their knowledge elements."""
    processor = ShieldCLIPProcessor.from_pretrained(tiny_clip_folder)
    noise = torch.randint(256, (2, 32, 32, 3), generator=torch.Generator().manual_seed(0))
    pictures = [Image.fromarray(pixels.byte().numpy()) for pixels in noise]
    encoded = processor.encode_elements([["red skin", "round"], ["six strings"]])
    index, keys = encoded.pop("element_index"), encoded.pop("element_keys")
    output = model(**processor(images=pictures, text=["an apple", "a guitar"]), **encoded)
    return output, gather_elements(output.element_embeds, keys, index)


def trained(model, loss):
    """Names of parameters that the loss moves."""
    loss.backward()
    grads = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {name for name, grad in grads.items() if grad is not None and grad.abs().max() > 0}


def test_knowledge_alignment_trains_patches_elements_and_head(model, output_and_elements):
    output, elements = output_and_elements
    loss = KnowledgeAlignmentLoss()
    value = loss(output.patch_embeds, elements, output.knowledge_scale, output.knowledge_bias)
    names = {"log_knowledge_scale", "knowledge_bias"}
    assert {VALUE, TOKENS, *(f"knowledge_head.{name}" for name in names)} <= trained(model, value)


@pytest.mark.parametrize("loss", [AttentionAlignmentLoss(), AttentionAlignmentBCELoss()])
def test_attention_alignment_trains_attention_and_head(model, output_and_elements, loss):
    output, elements = output_and_elements
    value = loss(output.patch_attention, output.patch_embeds, elements, output.attention_scale)
    assert {QUERY, "knowledge_head.log_attention_scale"} <= trained(model, value)
