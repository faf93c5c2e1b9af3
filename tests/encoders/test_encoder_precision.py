from __future__ import annotations

import pytest
import torch

from shieldclip.encoders.precision import resolve_device, resolve_dtype
from shieldclip.errors import ShieldCLIPError


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_auto_takes_what_is_there(no_accelerator, monkeypatch):
    assert resolve_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cuda")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "tpu", "meta", "cuda:x", ""])
def test_what_is_not_there_is_said_in_one_line(no_accelerator, name):
    with pytest.raises(ShieldCLIPError) as caught:
        resolve_device(name)
    assert "\n" not in str(caught.value)
    assert "cpu" in str(caught.value)


def test_a_card_that_does_not_exist(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device("cuda:0").index == 0
    with pytest.raises(ShieldCLIPError, match="has 1 CUDA device"):
        resolve_device("cuda:1")


@pytest.mark.parametrize(("native", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_auto_dtype_on_cuda(monkeypatch, native, dtype):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: native)
    assert resolve_dtype("auto", torch.device("cuda")) == dtype


def test_dtypes():
    cpu = torch.device("cpu")
    assert resolve_dtype("auto", cpu) == torch.float32
    assert resolve_dtype("bf16", cpu) == resolve_dtype("bfloat16", cpu) == torch.bfloat16
    with pytest.raises(ShieldCLIPError, match="Did you mean 'float16'"):
        resolve_dtype("float17", cpu)
