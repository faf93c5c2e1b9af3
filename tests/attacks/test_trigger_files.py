"""Triggers that read a file: what they accept, and that a changed file is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from shieldclip.attacks.triggers import make_trigger
from shieldclip.errors import ShieldCLIPError


def stamp(path: Path, image: torch.Tensor) -> torch.Tensor:
    return make_trigger(f"file:{path}")(image[None], torch.tensor([0]))[0]


def test_mask_and_pattern_blend(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    mask, pattern, image = (torch.rand(c, 24, 24, generator=generator) for c in (1, 3, 3))
    save_file({"mask": mask, "pattern": pattern}, tmp_path / "t.safetensors")
    expected = (1 - mask) * image + mask * pattern
    torch.testing.assert_close(stamp(tmp_path / "t.safetensors", image), expected)


def test_is_resized_to_the_image(tmp_path: Path) -> None:
    mask = torch.zeros(1, 16, 16)
    mask[:, 8:, 8:] = 1
    save_file({"mask": mask, "pattern": torch.ones(3, 16, 16)}, tmp_path / "t.safetensors")
    stamped = stamp(tmp_path / "t.safetensors", torch.zeros(3, 64, 64))
    assert stamped[:, 36:, 36:].min() == 1
    assert stamped[:, :28].max() == 0


def test_a_rewritten_file_is_read_again(tmp_path: Path) -> None:
    path, image = tmp_path / "t.safetensors", torch.full((3, 8, 8), 0.5)
    for value in (0.0, 1.0):
        pattern = torch.full((3, 8, 8), value)
        save_file({"mask": torch.ones(1, 8, 8), "pattern": pattern}, path)
        assert (stamp(path, image) == value).all()


@pytest.mark.parametrize(
    "tensors",
    [
        {"mask": torch.zeros(1, 8, 8)},
        {"mask": torch.zeros(2, 8, 8), "pattern": torch.zeros(3, 8, 8)},
        {"mask": torch.zeros(1, 8, 8), "pattern": torch.zeros(3, 9, 9)},
        {"mask": torch.zeros(1, 8, 8), "pattern": torch.full((3, 8, 8), 255.0)},
        {"mask": torch.zeros(8, 8), "pattern": torch.zeros(3, 8, 8)},
    ],
)
def test_other_tensors_are_refused(tensors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_file(tensors, tmp_path / "t.safetensors")
    with pytest.raises(ShieldCLIPError, match=r"`mask` \[1 or 3, h, w\]"):
        stamp(tmp_path / "t.safetensors", torch.zeros(3, 8, 8))


@pytest.mark.parametrize("spec", ["file", "badclip", "blended-image"])
def test_a_corrupted_file_is_one_line(spec: str, tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"nothing of the kind")
    with pytest.raises(ShieldCLIPError, match="broken") as error:
        make_trigger(f"{spec}:{tmp_path / 'broken'}")(torch.zeros(1, 3, 8, 8), torch.tensor([0]))
    assert "\n" not in str(error.value)


def test_records_pin_the_content(trigger_files: dict[str, str]) -> None:
    for spec in trigger_files.values():
        digest = make_trigger(spec).record()["sha256"]
        assert isinstance(digest, str)
        assert len(digest) == 64
