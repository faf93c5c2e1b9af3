"""What a training step gets beyond CLIP's own output, with a ViT tower."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize
from transformers import CLIPModel

from shieldclip.modeling import ShieldCLIPModel


@pytest.fixture
def model(clip):
    return ShieldCLIPModel.from_clip(clip)


def eager_attention(clip: CLIPModel, pixels):
    """The definition: all layers eager, last layer, CLS row, mean over heads, renormalised."""
    clip.set_attn_implementation({"vision_config": "eager"})
    last = clip.vision_model(pixels, output_attentions=True).attentions[-1]  # [B, H, T, T]
    patches = last.mean(dim=1)[:, 0, 1:]
    return patches / patches.sum(dim=-1, keepdim=True)


def test_attention_equals_full_eager_with_gradients(clip, model, batch):
    pixels = batch["pixel_values"]
    ours, theirs = model.train()(**batch).patch_attention, eager_attention(clip, pixels)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert theirs.std() > 0.01
    probe = torch.randn(ours.shape, generator=torch.Generator().manual_seed(2))
    (ours * probe).sum().backward()
    (theirs * probe).sum().backward()
    for name, parameter in clip.vision_model.named_parameters():
        gradient = model.vision_model.get_parameter(name).grad
        if parameter.grad is None:  # behind the last attention
            assert gradient is None
        else:
            torch.testing.assert_close(gradient, parameter.grad, atol=1e-5, rtol=1e-4)
    assert model.vision_model.encoder.layers[-1].self_attn.q_proj.weight.grad.abs().max() > 0


def test_only_the_last_layer_runs_eager(model, batch, monkeypatch):
    calls = []
    sdpa = torch.nn.functional.scaled_dot_product_attention

    def counted(query, *args, **kwargs):
        calls.append(query.shape)
        return sdpa(query, *args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", counted)
    model.vision_model(batch["pixel_values"], output_patches=True)
    assert len(calls) == model.config.vision_config.num_hidden_layers - 1


def test_training_and_evaluation_agree(model, batch):
    trained = model.train()(**batch, return_loss=True)
    evaluated = model.eval()(**batch, return_loss=True)
    for field in ("logits_per_image", "logits_per_text", "image_embeds", "text_embeds", "loss"):
        torch.testing.assert_close(trained[field], evaluated[field], atol=1e-5, rtol=1e-5)
    assert evaluated.patch_embeds is None
    assert evaluated.patch_attention is None
    assert model.train()(**batch, output_local=False).patch_embeds is None


def test_embeddings_lie_in_the_joint_space(clip, model, batch):
    output = model(**batch, output_local=True)
    hidden = clip.vision_model(batch["pixel_values"]).last_hidden_state
    patches = clip.visual_projection(clip.vision_model.post_layernorm(hidden[:, 1:]))
    torch.testing.assert_close(output.patch_embeds, normalize(patches, dim=-1))
    # The token at the end of a caption is the caption's own feature.
    ends = output.token_embeds[torch.arange(3), torch.tensor([6, 4, 1])]
    torch.testing.assert_close(ends, output.text_embeds)


def test_token_mask_marks_words(model, batch):
    mask = model(**batch, output_local=True).token_mask
    assert mask.sum(dim=-1).tolist() == [5, 3, 0]
    words = batch["input_ids"][mask]
    assert words.tolist() == [3, 4, 5, 6, 7, 8, 9, 10]


def test_token_mask_with_the_old_end_token_rule(clip, batch):
    clip.config.text_config.eos_token_id = 2
    ids = batch["input_ids"].masked_fill(batch["input_ids"] == 59, 1)
    model = ShieldCLIPModel.from_clip(clip)
    mask = model(**{**batch, "input_ids": ids}, output_local=True).token_mask
    assert mask.sum(dim=-1).tolist() == [5, 3, 0]


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradient_checkpointing_changes_no_gradient(clip, batch, reentrant):
    gradients = []
    for checkpointing in (False, True):
        model = ShieldCLIPModel.from_clip(clip).train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": reentrant})
        output = model(**batch)
        total = output.patch_embeds.sum() + output.patch_attention.square().sum()
        (total + output.token_embeds.sum() + output.logits_per_image.diagonal().sum()).backward()
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
    torch.testing.assert_close(gradients[0], gradients[1])


def test_checkpointing_recomputes_the_last_layer_too(model, batch):
    runs = []
    last = model.vision_model.encoder.layers[-1]
    last.layer_norm2.register_forward_hook(lambda *_: runs.append(1))
    model.train().gradient_checkpointing_enable()
    model(**batch).patch_embeds.sum().backward()
    assert len(runs) == 2


def test_bfloat16(clip, batch):
    model = ShieldCLIPModel.from_clip(clip)
    full = model(**batch, output_local=True)
    narrow = model.bfloat16()(**batch, output_local=True)
    assert narrow.patch_embeds.dtype == torch.bfloat16
    assert narrow.patch_attention.dtype == torch.float32
    torch.testing.assert_close(narrow.patch_attention, full.patch_attention, atol=0.05, rtol=0)
    close = torch.cosine_similarity(narrow.patch_embeds.float(), full.patch_embeds, dim=-1)
    assert close.min() > 0.98
    narrow.patch_attention.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("local", [False, True])
def test_compiled_towers(model, batch, local):
    model.eval()
    expected = model(**batch, output_local=local)
    # The backend that needs no compiler: what can fail here is tracing.
    model.vision_model.compile(backend="eager", fullgraph=local)
    model.text_model.compile(backend="eager")
    compiled = model(**batch, output_local=local)
    torch.testing.assert_close(compiled.logits_per_image, expected.logits_per_image)
    torch.testing.assert_close(compiled.patch_attention, expected.patch_attention)


def test_all_patches_by_index_equal_no_index(model, batch):
    model.train()
    everything = torch.arange(16).expand(3, 16)
    ours, plain = model(**batch, patch_index=everything), model(**batch)
    torch.testing.assert_close(ours.image_embeds, plain.image_embeds)
    torch.testing.assert_close(ours.patch_embeds, plain.patch_embeds)


def test_dropped_patches_have_no_influence(model, batch):
    model.train()
    kept = torch.tensor([[0, 5], [15, 2], [7, 8]])
    first = model(**batch, patch_index=kept)
    changed = batch["pixel_values"].clone()
    changed[0, :, 8:16, :8] += 1  # patch 4 of the first picture, which is dropped
    second = model(**{**batch, "pixel_values": changed}, patch_index=kept)
    assert first.patch_embeds.shape == (3, 2, 16) and first.patch_attention.shape == (3, 2)
    torch.testing.assert_close(first.image_embeds, second.image_embeds, atol=0, rtol=0)
    assert not torch.equal(first.image_embeds, model(**batch).image_embeds)
