"""Cells of all sorts become RGB; broken ones become errors."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shieldclip.data.decode import FORMATS, BadImage, decode, image_name

# Pillow warns of damage before it raises.
pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning"
)


def stored(image, suffix="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, suffix, **options)
    return {"bytes": buffer.getvalue(), "path": None}


def pixel(cell):
    image = decode(cell)
    assert image.mode == "RGB"
    return image.getpixel((0, 0))


LOSSLESS = {"PNG": {}, "BMP": {}, "TIFF": {}, "PPM": {}, "WEBP": {"lossless": True}}


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_pixels_of_lossless_formats_are_exact(suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    cell = stored(Image.fromarray(pixels), suffix, **LOSSLESS[suffix])
    assert np.array_equal(np.asarray(decode(cell)), pixels)


def test_from_a_file(tmp_path):
    Image.new("RGB", (2, 3), (1, 2, 3)).save(tmp_path / "x.png")
    assert pixel({"bytes": None, "path": str(tmp_path / "x.png")}) == (1, 2, 3)


def test_transparency_is_laid_on_white():
    assert pixel(stored(Image.new("RGBA", (2, 2), (255, 0, 0, 0)))) == (255, 255, 255)
    assert pixel(stored(Image.new("RGBA", (2, 2), (0, 0, 0, 255)))) == (0, 0, 0)
    assert pixel(stored(Image.new("LA", (2, 2), (0, 128)))) == (127, 127, 127)
    assert pixel(stored(Image.new("RGB", (2, 2), (9, 9, 9)), transparency=(9, 9, 9))) == (
        255,
        255,
        255,
    )


def test_palettes():
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    assert pixel(stored(image)) == (10, 200, 30)
    assert pixel(stored(image, "GIF")) == (10, 200, 30)
    assert pixel(stored(image, transparency=1)) == (255, 255, 255)


@pytest.mark.parametrize(("value", "wanted"), [(0, 0), (300, 1), (0x8000, 128), (0xFFFF, 255)])
def test_16_bit_grey_is_scaled(value, wanted):
    image = Image.fromarray(np.full((2, 2), value, np.uint16))
    for suffix in ("PNG", "TIFF"):
        assert pixel(stored(image, suffix)) == (wanted,) * 3


def test_cmyk_and_one_bit():
    red, green, blue = pixel(stored(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert red > 240
    assert max(green, blue) < 15
    assert pixel(stored(Image.new("1", (2, 2), 1))) == (255, 255, 255)


def test_exif_orientation_is_applied():
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn to the left
    turned = decode(stored(image, exif=exif.tobytes()))
    assert turned.size == (2, 4)
    assert turned.getpixel((1, 0)) == (255, 255, 255)


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("lime", "red")]
    assert pixel(stored(frames[0], "GIF", save_all=True, append_images=frames[1:])) == (0, 255, 0)


@pytest.mark.parametrize("suffix", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_truncated_pictures_are_named(suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    cell = stored(Image.fromarray(noise), suffix)
    for length in (10, 200, len(cell["bytes"]) // 2):
        with pytest.raises(BadImage, match=r"picture in row 7, but .*\.$") as caught:
            decode({**cell, "bytes": cell["bytes"][:length]}, "row 7")
        assert caught.value.name == "row 7"


SEEDS = [stored(Image.effect_noise((16, 16), 60), suffix)["bytes"] for suffix in FORMATS]


@settings(max_examples=300, deadline=None)
@given(content=st.sampled_from(SEEDS), data=st.data())
def test_damaged_pictures_decode_or_are_bad(content, data):
    """No other exception comes out of any format."""
    damaged = bytearray(content)
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        damaged[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for broken in (bytes(damaged), bytes(damaged[:cut])):
        with contextlib.suppress(BadImage):
            assert decode({"bytes": broken, "path": None}).mode == "RGB"


def test_what_is_no_picture():
    for content in (b"", b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage"):
        with pytest.raises(BadImage, match="none of JPEG, PNG"):
            decode({"bytes": content, "path": "x.eps"})
    with pytest.raises(BadImage, match="neither bytes nor a path"):
        decode({"bytes": None, "path": None})
    with pytest.raises(BadImage, match=r"/none\.png, but there is no such file"):
        decode({"bytes": None, "path": "/none.png"})
    with pytest.raises(BadImage, match="floats"):
        decode(stored(Image.new("F", (2, 2), 0.5), "TIFF"))


@pytest.mark.parametrize("side", [11, 20])
def test_decompression_bombs_are_refused(monkeypatch, side):
    cell = stored(Image.new("RGB", (side, side)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow itself refuses twice that
    with pytest.raises(BadImage, match="limit"):
        decode(cell)


def test_names():
    assert image_name({"bytes": b"", "path": None}, 3) == "row 3"
    assert image_name({"bytes": None, "path": "a/b.png"}, 3) == "row 3 (a/b.png)"
