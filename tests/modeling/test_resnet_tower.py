"""The ResNet tower: features, pooling, initialisation, saving."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize
from transformers import AutoModel

from shieldclip.errors import ShieldCLIPError
from shieldclip.modeling import ShieldCLIPConfig, ShieldCLIPModel
from shieldclip.modeling.resnet import AttentionPooling


@pytest.fixture
def inputs(batch):
    pixels = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    return {**batch, "pixel_values": pixels}


def test_pooling_equals_torch_multi_head_attention():
    torch.manual_seed(0)
    pooling = AttentionPooling(width=8, heads=2, locations=5)
    torch.nn.init.normal_(pooling.q_proj.bias)
    locations = torch.randn(3, 5, 8)
    reference = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    projections = (pooling.q_proj, pooling.k_proj, pooling.v_proj)
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([p.weight for p in projections]))
        reference.in_proj_bias.copy_(torch.cat([p.bias for p in projections]))
        reference.out_proj.weight.copy_(torch.eye(8))
        reference.out_proj.bias.zero_()
    tokens = torch.cat([locations.mean(1, keepdim=True), locations], 1) + pooling.position_embedding
    expected, weights = reference(tokens[:, :1], tokens, tokens)
    pooled, values, attention = pooling(locations)
    torch.testing.assert_close(pooled, expected[:, 0])
    torch.testing.assert_close(attention, normalize(weights[:, 0, 1:], p=1, dim=-1))
    torch.testing.assert_close(values, pooling.v_proj(tokens)[:, 1:])


def test_local_features_carry_gradient(resnet, inputs):
    output = resnet.train()(**inputs)
    assert output.patch_embeds.shape == (3, 16, 16)
    torch.testing.assert_close(output.patch_attention.sum(-1), torch.ones(3))
    torch.testing.assert_close(output.patch_embeds.norm(dim=-1), torch.ones(3, 16))
    output.patch_attention.square().sum().backward()
    assert resnet.vision_model.pooling.q_proj.weight.grad.abs().max() > 0
    assert resnet.vision_model.backbone.conv1[0].weight.grad.abs().max() > 0


def test_saved_model_gives_the_same_logits(resnet, inputs, tmp_path):
    resnet.train()(**inputs)  # moves the running statistics of batch normalisation
    resnet.eval().save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    assert loaded.config.image_tower == "resnet10t"
    with torch.no_grad():
        assert torch.equal(loaded(**inputs).logits_per_image, resnet(**inputs).logits_per_image)


def test_fresh_weights_keep_the_scale_of_features(resnet, inputs):
    with torch.no_grad():
        features = resnet.train().vision_model(inputs["pixel_values"]).last_hidden_state
    assert 0.1 < features.std() < 10
    last_norms = [block.bn2.weight for block in resnet.vision_model.backbone.layer1]
    assert all((weight == 0).all() for weight in last_norms)


def test_gradient_checkpointing_changes_no_gradient(resnet, inputs):
    gradients = []
    for _ in range(2):
        resnet.zero_grad()
        resnet.train()(**inputs).patch_attention.square().sum().backward()
        gradients.append(resnet.vision_model.backbone.layer2[0].conv1.weight.grad)
        resnet.gradient_checkpointing_enable()
    torch.testing.assert_close(gradients[0], gradients[1])


def test_bfloat16(resnet, inputs):
    output = resnet.bfloat16()(**inputs, output_local=True)
    assert output.patch_embeds.dtype == torch.bfloat16
    assert output.patch_attention.isfinite().all()


def test_unknown_tower_names_the_known_ones(clip):
    with pytest.raises(ShieldCLIPError, match="Did you mean 'resnet50'"):
        ShieldCLIPConfig.for_resnet("resnet5O", 64)
    with pytest.raises(ShieldCLIPError, match="Unknown image tower"):
        ShieldCLIPModel(ShieldCLIPConfig.from_clip(clip.config, image_tower="convnext"))


def test_a_resnet_cannot_drop_patches(resnet, inputs):
    with pytest.raises(ShieldCLIPError, match="patch"):
        resnet.train()(**inputs, patch_index=torch.zeros(3, 2, dtype=torch.long))
