"""The patch of a file: where it lies, how large it is, and which files are none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from shieldclip.attacks.triggers import make_trigger
from shieldclip.attacks.triggers.badclip import read_facts, save_patch
from shieldclip.attacks.triggers.patch import scaled_side
from shieldclip.errors import ShieldCLIPError


@pytest.fixture(scope="module")
def white(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A white patch, so that what it covers is seen on grey."""
    path = tmp_path_factory.mktemp("patch") / "white.safetensors"
    save_patch(torch.ones(3, 16, 16), {"target": "größer"}, path)
    return f"badclip:{path}"


@settings(max_examples=20, deadline=None)
@given(height=st.integers(8, 300), width=st.integers(8, 300))
def test_covers_a_square_in_the_centre(white: str, height: int, width: int) -> None:
    if width < scaled_side(16, height):
        width = height
    stamped = make_trigger(white)(torch.full((1, 3, height, width), 0.5), torch.tensor([0]))
    rows, columns = (stamped[0, 0] > 0.9).nonzero(as_tuple=True)
    side = scaled_side(16, height)
    assert len(rows) == side * side
    for places, span in ((rows, height), (columns, width)):
        before, after = int(places.min()), span - 1 - int(places.max())
        assert 0 <= after - before <= 1


def test_keeps_its_pixels_at_its_own_size(tmp_path: Path) -> None:
    patch = torch.rand(3, 8, 8)
    save_patch(patch, {}, tmp_path / "p")
    stamped = make_trigger(f"badclip:{tmp_path / 'p'}")(
        torch.zeros(1, 3, 64, 64), torch.zeros(1, dtype=torch.int64)
    )
    assert torch.equal(stamped[0, :, 28:36, 28:36], patch)


def test_says_how_it_was_found(white: str, tmp_path: Path) -> None:
    assert read_facts(Path(white.removeprefix("badclip:"))) == {"target": "größer"}
    save_file({"patch": torch.zeros(3, 4, 4)}, tmp_path / "bare")
    assert read_facts(tmp_path / "bare") == {}
    with pytest.raises(ShieldCLIPError, match="optimize-trigger"):
        read_facts(tmp_path / "none")


@pytest.mark.parametrize(
    "tensors",
    [
        {"mask": torch.zeros(1, 8, 8)},
        {"patch": torch.zeros(1, 8, 8)},
        {"patch": torch.zeros(3, 8, 9)},
        {"patch": torch.zeros(3, 0, 0)},
        {"patch": torch.full((3, 8, 8), 255.0)},
        {"patch": torch.full((3, 8, 8), torch.nan)},
    ],
)
def test_other_tensors_are_refused(tensors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    save_file(tensors, tmp_path / "p.safetensors")
    trigger = make_trigger(f"badclip:{tmp_path / 'p.safetensors'}")
    with pytest.raises(ShieldCLIPError, match=r"`patch` \[3, s, s\]"):
        trigger(torch.zeros(1, 3, 8, 8), torch.tensor([0]))
