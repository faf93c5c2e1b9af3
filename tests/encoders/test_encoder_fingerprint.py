from __future__ import annotations

import hashlib
import struct

import torch
from torch import nn

from shieldclip.encoders.fingerprint import fingerprint


class Two(nn.Module):
    def __init__(self, names: tuple[str, str]) -> None:
        super().__init__()
        for name in names:
            self.register_parameter(name, nn.Parameter(torch.arange(6.0).view(2, 3) / 7))


def test_definition():
    values = [float(v) for v in (torch.arange(6.0) / 7)]
    expected = hashlib.sha256()
    for name in (b"a", b"b"):
        expected.update(name + b"\0" + b"2x3" + b"\0" + struct.pack("<6f", *values))
    assert fingerprint(Two(("b", "a"))) == expected.hexdigest()


def test_half_precision_equals_the_same_values_widened():
    half = Two(("a", "b")).half()
    assert fingerprint(half) == fingerprint(Two(("a", "b")).half().float())


def test_values_shapes_and_names_count():
    plain = fingerprint(Two(("a", "b")))
    touched, reshaped = Two(("a", "b")), Two(("a", "b"))
    touched.a.data[1, 2] += 1e-6
    reshaped.a = nn.Parameter(reshaped.a.detach().view(3, 2))
    renamed = Two(("a", "c"))
    assert len({plain, fingerprint(touched), fingerprint(reshaped), fingerprint(renamed)}) == 4
