"""Pictures and captions as features in one model's joint space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from shieldclip.errors import ShieldCLIPError
from shieldclip.transport import Bags
from shieldclip.types import Encoder


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """Unit vectors of I pictures."""

    patches: Tensor
    """``[I, P, D]``."""
    whole: Tensor
    """``[I, D]``, the global features."""

    def take(self, places: Tensor) -> ImageFeatures:
        """The pictures at ``places`` [J]; repeats are allowed."""
        return ImageFeatures(self.patches[places], self.whole[places])


@dataclass(frozen=True, eq=False)
class TextFeatures:
    """Unit vectors of N captions."""

    words: Bags
    whole: Tensor
    """``[N, D]``, the global features."""

    def take(self, places: Tensor) -> TextFeatures:
        """The captions at ``places`` [M]; repeats are allowed."""
        return TextFeatures(self.words.select(places), self.whole[places])


def check_encoder(encoder: Encoder, texts: Sequence[str]) -> None:
    """Make sure, on one grey picture and some texts, that a model can match at all.

    Raises:
        ShieldCLIPError: no patch or token features, not in one space, or none of words.
    """
    if not isinstance(encoder, Encoder):
        raise ShieldCLIPError(
            "Expected an encoder with encode_image, encode_text, patch_features and "
            f"token_features, got {type(encoder).__name__}; load one with load_encoder(SPEC)."
        )
    grey = torch.full((1, 3, encoder.image_size, encoder.image_size), 0.5)
    with torch.inference_mode():
        patches = encoder.patch_features(grey)
        words, mask = encoder.token_features(texts)
    if patches.ndim != 3 or words.ndim != 3 or patches.shape[2] != words.shape[2]:
        raise ShieldCLIPError(
            f"Expected patches and words of {encoder.name!r} in one space, got features of shape "
            f"{list(patches.shape)} and {list(words.shape)}; choose another model."
        )
    if not mask.any():
        raise ShieldCLIPError(
            f"Expected words in the tokens of {encoder.name!r}, got none in {len(texts)} captions, "
            f"of which the first is {texts[0]!r}; choose another model or other captions."
        )


@torch.inference_mode()
def encode_images(encoder: Encoder, pixels: Tensor, rows: Sequence[int]) -> ImageFeatures:
    """Features on the CPU.

    Args:
        encoder: any with patch features.
        pixels: ``[B, 3, S, S]`` uint8.
        rows: their rows in the data, for errors.

    Raises:
        ShieldCLIPError: a feature that is not finite.
    """
    images = pixels.to(encoder.device).float().div_(255)
    patches, whole = encoder.patch_features(images).cpu(), encoder.encode_image(images).cpu()
    finite = patches.flatten(1).isfinite().all(1) & whole.isfinite().all(1)
    if not finite.all():
        raise _not_finite(encoder, f"the picture of row {rows[int((~finite).nonzero()[0])]}")
    return ImageFeatures(patches, whole)


def no_images(encoder: Encoder) -> ImageFeatures:
    """Features of no picture, in the shapes of a model."""
    grey = torch.full((1, 3, encoder.image_size, encoder.image_size), 128, dtype=torch.uint8)
    return encode_images(encoder, grey, [0]).take(torch.arange(0))


@torch.inference_mode()
def encode_texts(encoder: Encoder, texts: Sequence[str]) -> TextFeatures:
    """Features of N texts on the CPU.

    Raises:
        ShieldCLIPError: a feature that is not finite.
    """
    words, mask = encoder.token_features(texts)
    words, mask, whole = words.cpu(), mask.cpu(), encoder.encode_text(texts).cpu()
    finite = (words.isfinite().all(2) | ~mask).all(1) & whole.isfinite().all(1)
    if not finite.all():
        raise _not_finite(encoder, f"the caption {texts[int((~finite).nonzero()[0])]!r}")
    return TextFeatures(Bags.pack(words, mask), whole)


def join_images(parts: Sequence[ImageFeatures]) -> ImageFeatures:
    """Batches as one."""
    return ImageFeatures(
        torch.cat([part.patches for part in parts]), torch.cat([part.whole for part in parts])
    )


def join_texts(parts: Sequence[TextFeatures]) -> TextFeatures:
    """Batches as one."""
    sizes = torch.cat([part.words.sizes for part in parts])
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
    words = Bags(torch.cat([part.words.features for part in parts]), offsets)
    return TextFeatures(words, torch.cat([part.whole for part in parts]))


def wordless(like: TextFeatures, count: int) -> TextFeatures:
    """Captions without a word, of the same widths."""
    offsets = torch.zeros(count + 1, dtype=torch.int64)
    words = Bags(like.words.features[:0], offsets)
    return TextFeatures(words, like.whole.new_zeros(count, like.whole.shape[1]))


def with_wordless(texts: TextFeatures) -> TextFeatures:
    """N captions and, in place N, one without a word."""
    offsets, whole = texts.words.offsets, texts.whole
    words = Bags(texts.words.features, torch.cat([offsets, offsets[-1:]]))
    return TextFeatures(words, torch.cat([whole, whole.new_zeros(1, whole.shape[1])]))


def to_unit(features: Tensor, device: str) -> Tensor:
    """Stored half-precision vectors as float32 of norm 1, on a device."""
    return normalize(features.to(device).float(), dim=-1)


def _not_finite(encoder: Encoder, what: str) -> ShieldCLIPError:
    return ShieldCLIPError(
        f"Expected finite features, but {encoder.name!r} gives NaN or infinity for {what}; "
        "try --dtype float32, or remove the row."
    )
