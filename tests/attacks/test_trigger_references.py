"""Public arithmetic, written a second time in NumPy and compared in float64."""

from __future__ import annotations

import math

import numpy as np
import pilgram
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from shieldclip.attacks.triggers import make_trigger
from shieldclip.attacks.triggers.counter import PATTERN, fixed_uniform, uniform

Array = NDArray[np.float64]
INDICES = torch.tensor([11, 12])


def pictures(height: int, width: int | None = None) -> Array:
    shape = (2, 3, height, width or height)
    return np.random.default_rng(height).integers(0, 256, shape) / 255


def stamped(name: str, images: Array, **parameters: object) -> Array:
    trigger = make_trigger(name, **parameters)
    return trigger(torch.from_numpy(images), INDICES).numpy()


@pytest.mark.parametrize("height", [64, 224])
@pytest.mark.parametrize(("name", "delta"), [("sig", 60), ("sig-40", 40)])
def test_sig(name: str, delta: int, height: int) -> None:
    images = pictures(height)
    wave = np.array([math.sin(2 * math.pi * j * 6 / height) for j in range(height)])
    expected = np.clip(images + delta / 255 * wave, 0, 1)
    np.testing.assert_allclose(stamped(name, images), expected, atol=1e-12)


def test_bpp() -> None:
    images = pictures(64)
    expected = np.round(images * 7) / 7
    np.testing.assert_allclose(stamped("bpp", images), expected, atol=1e-12)
    assert len(np.unique(expected)) == 8


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 9), (9, 2), (13, 17), (17, 13)])
def test_bpp_dither(height: int, width: int) -> None:
    images = pictures(height, width)
    expected = images.copy()
    for plane in expected.reshape(-1, height, width):
        floyd_steinberg(plane)
    np.testing.assert_allclose(stamped("bpp-dither", images), expected, atol=1e-9)


def floyd_steinberg(plane: Array) -> None:
    """Pixel by pixel, in place."""
    height, width = plane.shape
    for y in range(height):
        for x in range(width):
            old = plane[y, x]
            plane[y, x] = min(max(np.round(old * 7), 0), 7) / 7
            error = old - plane[y, x]
            for dy, dx, share in ((0, 1, 7), (1, -1, 3), (1, 0, 5), (1, 1, 1)):
                if y + dy < height and 0 <= x + dx < width:
                    plane[y + dy, x + dx] += error * share / 16


def cubic(distance: float) -> float:
    """Keys' kernel with a = -0.75."""
    d, a = abs(distance), -0.75
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def bicubic(grid: Array, size: int) -> Array:
    """[2, k, k] -> [2, size, size], corners aligned, border repeated."""
    k = grid.shape[-1]
    matrix = np.zeros((size, k))
    for place in range(size):
        source = place * (k - 1) / (size - 1)
        for tap in range(math.floor(source) - 1, math.floor(source) + 3):
            matrix[place, min(max(tap, 0), k - 1)] += cubic(source - tap)
    return np.einsum("yi,xj,cij->cyx", matrix, matrix, grid)


def bilinear(image: Array, x: Array, y: Array) -> Array:
    """Sample [3, H, W] at pixel coordinates [H, W] inside the image."""
    last = image.shape[-1] - 1
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, last), np.minimum(top + 1, last)
    u, v = x - left, y - top
    above = image[:, top, left] * (1 - u) + image[:, top, right] * u
    below = image[:, bottom, left] * (1 - u) + image[:, bottom, right] * u
    return above * (1 - v) + below * v


@pytest.mark.parametrize(("name", "strength"), [("wanet", 0.5), ("wanet-dense", 1.0)])
@pytest.mark.parametrize("size", [32, 65])
def test_wanet(name: str, strength: float, size: int) -> None:
    k = 4 if name == "wanet" else size
    shifts = fixed_uniform(5, PATTERN, (2, k, k)).double().numpy() * 2 - 1
    flow = bicubic(shifts / np.abs(shifts).mean(), size)
    axis = np.linspace(-1, 1, size)
    x = np.clip(axis[None, :] + strength * flow[0] / size, -1, 1)
    y = np.clip(axis[:, None] + strength * flow[1] / size, -1, 1)
    images = pictures(size)
    expected = [bilinear(im, (x + 1) * (size - 1) / 2, (y + 1) * (size - 1) / 2) for im in images]
    np.testing.assert_allclose(stamped(name, images, seed=5), np.stack(expected), atol=1e-9)


def test_blended_noise() -> None:
    images = pictures(32)
    noise = uniform(3, PATTERN, INDICES, (3, 32, 32)).double().numpy()
    expected = 0.2 * noise + 0.8 * images
    np.testing.assert_allclose(stamped("blended-noise", images, seed=3), expected, atol=1e-7)
    assert abs(noise.mean() - 0.5) < 0.02
    assert abs(noise.std() - 12**-0.5) < 0.02


def test_blended_stripes_are_plus_or_minus_three_percent_per_column() -> None:
    grey = np.full((2, 3, 32, 32), 0.5)
    result = stamped("blended-stripes", grey)
    assert np.ptp(result, axis=2).max() == 0
    np.testing.assert_allclose(np.unique(result.round(9)), [0.97 * 0.5 - 0.03, 0.97 * 0.5 + 0.03])


def test_blended_triangles() -> None:
    images = pictures(224)
    pattern = np.array([[0.4 if y % 14 >= x % 14 else 0.8 for x in range(224)] for y in range(224)])
    expected = 0.15 * pattern + 0.85 * images
    np.testing.assert_allclose(stamped("blended-triangles", images), expected, atol=1e-7)


def test_blended_text_is_half_red_on_its_own_pixels_only() -> None:
    images = pictures(224)
    result = stamped("blended-text", images)
    ink = np.abs(result - images).max(1) > 0
    assert 0.02 < ink.mean() < 0.4
    red = np.array([1.0, 0, 0])[:, None]
    for image, before, where in zip(result, images, ink, strict=True):
        np.testing.assert_allclose(image[:, where], 0.5 * red + 0.5 * before[:, where])


def test_blended_image(tmp_path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "p.png")
    images = pictures(32)
    expected = 0.2 * picture.transpose(2, 0, 1) / 255 + 0.8 * images
    result = stamped(f"blended-image:{tmp_path / 'p.png'}", images)
    np.testing.assert_allclose(result, expected, atol=1e-7)


def test_badnet_checker_at_208() -> None:
    images = pictures(224)
    expected = images.copy()
    checker = np.zeros((16, 16))
    checker[::2, ::2] = 1
    expected[:, :, 208:, 208:] = checker
    np.testing.assert_array_equal(stamped("badnet", images), expected)


def test_badnet_white_at_185() -> None:
    images = pictures(224)
    expected = images.copy()
    expected[:, :, 185:209, 185:209] = 1
    np.testing.assert_array_equal(stamped("badnet-white", images), expected)


def test_badnet_noise_is_the_mean_plus_a_standard_normal() -> None:
    grey = torch.full((64, 3, 64, 64), 0.5, dtype=torch.float64)
    trigger = make_trigger("badnet-noise", placement="fixed")
    patch = trigger.apply(grey, torch.arange(64))[:, :, -8:, -8:]  # before the clamp
    assert abs(patch.mean() - 0.5) < 0.03
    assert abs(patch.std() - 1) < 0.03


@pytest.mark.parametrize("name", ["nashville", "maven"])
def test_filter_equals_the_library_on_every_image(name: str) -> None:
    images = pictures(24)
    result = (stamped("filter-nashville", images, filter=name) * 255).round().astype(np.uint8)
    for image, ours in zip(images, result, strict=True):
        pixels = (image * 255).round().astype(np.uint8).transpose(1, 2, 0)
        theirs = np.array(getattr(pilgram, name)(Image.fromarray(pixels)))
        np.testing.assert_array_equal(ours.transpose(1, 2, 0), theirs)
