"""Letters and protocols shared by every room.

Letters used in shapes: ``B`` batch, ``P`` patches, ``L`` caption tokens, ``M`` knowledge
elements, ``D`` joint embedding width, ``N`` texts or samples, ``C`` classes, ``H``/``W`` pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from PIL import Image
from torch import Tensor


@runtime_checkable
class Encoder(Protocol):
    """A CLIP, whatever library it came from.

    Pixels come in as ``[B, 3, S, S]`` float32 in ``[0, 1]``, after resize and crop and *before*
    normalisation, so that a trigger acts in pixel space. Every embedding that goes out is a
    unit-norm float32 vector on the CPU or on ``device``.
    """

    name: str
    """The specification the encoder was loaded from, e.g. ``shieldclip:icons-clean``."""
    revision: str
    """Commit of a Hub repository, or ``""``."""
    fingerprint: str
    """SHA-256 over the weights, equal for equal weights whatever the file format."""
    library: str
    """``transformers`` or ``open_clip``."""
    parameters: int
    image_size: int
    """Side S of the square input, in pixels."""
    preprocessing: str
    """Identifies resize and crop: equal strings produce equal pixels from equal pictures."""
    logit_scale: float
    device: str
    warning: str
    """What a user must know before trusting this checkpoint (a backdoored zoo model), or ``""``."""

    def preprocess(self, image: Image.Image) -> Tensor:
        """Resize and crop one RGB picture -> ``[3, S, S]`` uint8 on the CPU."""
        ...

    def encode_image(self, images: Tensor) -> Tensor:
        """``[B, 3, S, S]`` in ``[0, 1]`` -> ``[B, D]`` unit norm."""
        ...

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """N texts -> ``[N, D]`` unit norm."""
        ...

    def patch_features(self, images: Tensor) -> Tensor:
        """``[B, 3, S, S]`` in ``[0, 1]`` -> ``[B, P, D]`` unit norm, in the joint space."""
        ...

    def token_features(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """N texts -> (``[N, L, D]`` unit norm, ``[N, L]`` bool: true at words, false at BOS, EOS
        and padding).
        """
        ...
