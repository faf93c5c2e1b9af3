"""The export to ONNX, computed by ONNX Runtime."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.errors import ShieldCLIPError
from shieldclip.export.onnx_folder import read_onnx

CONTEXT = 32


@pytest.fixture(scope="module")
def sessions(exports):
    return [onnxruntime.InferenceSession(exports("onnx") / f"{name}.onnx") for name in TOWERS]


TOWERS = ("image", "text")


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**31))
def test_any_number_of_pictures(sessions, tiny_source, batch, seed):
    pixels = torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    (got,) = sessions[0].run(["image_embeds"], {"pixel_values": pixels.numpy()})
    with torch.no_grad():
        expected = tiny_source.encoder.model.get_image_features(pixels).pooler_output
    expected = torch.nn.functional.normalize(expected, dim=-1)
    np.testing.assert_allclose(got, expected.numpy(), atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, CONTEXT), st.integers(0, 2**31))
def test_any_number_and_length_of_texts(sessions, tiny_source, batch, length, seed):
    end = tiny_source.processor.tokenizer.eos_token_id
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, end, (batch, length), generator=generator)
    ends = torch.randint(0, length, (batch, 1), generator=generator)
    ids[torch.arange(length) >= ends] = end  # padded, each to another length
    (got,) = sessions[1].run(["text_embeds"], {"input_ids": ids.numpy()})
    with torch.no_grad():
        expected = tiny_source.encoder.model.get_text_features(input_ids=ids).pooler_output
    expected = torch.nn.functional.normalize(expected, dim=-1)
    np.testing.assert_allclose(got, expected.numpy(), atol=1e-4)


def test_files_are_valid_and_say_the_scale(exports, tiny_source):
    for tower in TOWERS:
        model = onnx.load(exports("onnx") / f"{tower}.onnx")
        onnx.checker.check_model(model, full_check=True)
        said = {prop.key: prop.value for prop in model.metadata_props}
        assert float(said["logit_scale"]) == pytest.approx(tiny_source.encoder.logit_scale)


def test_without_the_extra_it_says_what_to_install(exports, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ShieldCLIPError, match=r"pip install 'shieldclip\[export\]'"):
        read_onnx(exports("onnx"))
