from __future__ import annotations

import pytest
import torch

from shieldclip.encoders import batch_size, find_batch_size, load_encoder
from shieldclip.errors import ShieldCLIPError


class Fake:
    """An encoder on a pretended CUDA card that holds ``room`` images."""

    name = "fake"
    device = "cuda"
    image_size = 4

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        assert torch.is_inference_mode_enabled()
        self.tried.append(len(images))
        if len(images) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return images


def test_cuda_halves_until_it_fits():
    encoder = Fake(room=100)
    assert find_batch_size(encoder, largest=512) == 64
    assert encoder.tried == [512, 256, 128, 64]


def test_cuda_takes_the_largest_when_it_fits():
    assert find_batch_size(Fake(room=100), largest=100) == 100


def test_no_room_for_one_picture_is_said():
    with pytest.raises(ShieldCLIPError, match="Not one picture fits"):
        find_batch_size(Fake(room=0), largest=8)


def test_other_errors_are_not_taken_for_exhausted_memory():
    class Broken(Fake):
        def encode_image(self, images: torch.Tensor) -> torch.Tensor:
            raise RuntimeError(f"boom at {len(images)}")

    with pytest.raises(RuntimeError, match="boom"):
        find_batch_size(Broken(room=1))


def test_host_memory_bounds_the_batch(tiny_clip_folder, monkeypatch):
    encoder = load_encoder(str(tiny_clip_folder), device="cpu")
    assert find_batch_size(encoder, largest=7) == 7
    per_image = batch_size._bytes_per_image(encoder)
    # Each of the two layers keeps at least its attention input and its MLP's hidden layer.
    assert per_image > 2 * 5 * (32 + 64) * 4
    monkeypatch.setattr(batch_size, "HOST_BUDGET", 10 * per_image)
    assert find_batch_size(encoder) == 10
    monkeypatch.setattr(batch_size, "HOST_BUDGET", 1)
    assert find_batch_size(encoder) == 1
