"""What every encoder shares, whichever library computes its features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from shieldclip.encoders.fingerprint import fingerprint
from shieldclip.encoders.preprocessing import Preprocessing
from shieldclip.errors import ShieldCLIPError

TEXTS_PER_PASS = 256
"""Texts encoded at once; a longer list is split."""


@dataclass(frozen=True)
class Origin:
    """Where a checkpoint came from."""

    name: str
    """The specification the user gave."""
    revision: str = ""
    """Commit of a Hub repository, or ``""``."""
    warning: str = ""


@dataclass(frozen=True)
class Precision:
    """Where and in which format the model computes."""

    device: torch.device
    dtype: torch.dtype


@dataclass(frozen=True)
class Tokens:
    """Tokenised texts."""

    ids: Tensor
    """``[N, L]`` int64."""
    words: Tensor
    """``[N, L]`` bool: true at words, false at BOS, EOS and padding."""


class TorchEncoder(ABC):
    """An `Encoder` around a PyTorch model; a subclass per library says how features are computed.

    Parameters are frozen, and gradients reach the pixels unless the caller switches them off.
    Features leave as unit-norm float32 on ``device``.
    """

    library: str

    def __init__(
        self, model: nn.Module, origin: Origin, preprocessing: Preprocessing, precision: Precision
    ) -> None:
        """Take over a model that lies on the CPU in float32."""
        self.name = origin.name
        self.revision = origin.revision
        self.warning = origin.warning
        self.fingerprint = fingerprint(model)
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.logit_scale = float(model.get_parameter("logit_scale").detach().exp())
        self.image_size = preprocessing.crop
        self.preprocessing = preprocessing.identity
        self.device = str(precision.device)
        self.dtype = precision.dtype
        self._preprocess = preprocessing
        self._mean = torch.tensor(preprocessing.mean, device=precision.device).view(3, 1, 1)
        self._std = torch.tensor(preprocessing.std, device=precision.device).view(3, 1, 1)
        self.model = model.to(precision.device, precision.dtype).eval().requires_grad_(False)

    def preprocess(self, image: Image.Image) -> Tensor:
        """Resize and crop one picture of any mode -> ``[3, S, S]`` uint8 on the CPU."""
        return self._preprocess(image)

    def encode_image(self, images: Tensor) -> Tensor:
        """``[B, 3, S, S]`` in ``[0, 1]`` -> ``[B, D]`` unit norm.

        Raises:
            ShieldCLIPError: another shape, or integers.
        """
        return _unit(self._image_features(self._normalise(images)))

    def patch_features(self, images: Tensor) -> Tensor:
        """``[B, 3, S, S]`` in ``[0, 1]`` -> ``[B, P, D]`` unit norm, in the joint space.

        Raises:
            ShieldCLIPError: another shape, integers, or a tower without patches.
        """
        return _unit(self._patch_features(self._normalise(images)))

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """N texts -> ``[N, D]`` unit norm; longer texts are cut at the context length.

        Raises:
            ShieldCLIPError: no text at all.
        """
        return _unit(self._in_passes(self._text_features, self._checked(texts).ids))

    def token_features(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """N texts -> (``[N, L, D]`` unit norm, ``[N, L]`` bool: true at words, false at BOS, EOS
        and padding).

        Raises:
            ShieldCLIPError: no text at all, or a tower without token features.
        """
        tokens = self._checked(texts)
        features = _unit(self._in_passes(self._token_features, tokens.ids))
        return features, tokens.words.to(self.device)

    @abstractmethod
    def _image_features(self, pixels: Tensor) -> Tensor:
        """Normalised pixels ``[B, 3, S, S]`` -> ``[B, D]``."""

    @abstractmethod
    def _patch_features(self, pixels: Tensor) -> Tensor:
        """Normalised pixels ``[B, 3, S, S]`` -> ``[B, P, D]``."""

    @abstractmethod
    def _text_features(self, ids: Tensor) -> Tensor:
        """Token ids ``[N, L]`` -> ``[N, D]``."""

    @abstractmethod
    def _token_features(self, ids: Tensor) -> Tensor:
        """Token ids ``[N, L]`` -> ``[N, L, D]``."""

    @abstractmethod
    def _tokenize(self, texts: list[str]) -> Tokens:
        """Tokenise at least one text; a special token spelled out in a text stays text."""

    def _normalise(self, images: Tensor) -> Tensor:
        side = self.image_size
        if images.ndim != 4 or images.shape[1:] != (3, side, side):
            raise ShieldCLIPError(
                f"Expected images of shape [B, 3, {side}, {side}], got {list(images.shape)}; "
                "run `preprocess` on each picture first."
            )
        if not images.is_floating_point():
            raise ShieldCLIPError(
                f"Expected floating-point pixels in [0, 1], got {images.dtype}; divide by 255."
            )
        pixels = images.to(self.device, torch.float32)
        return ((pixels - self._mean) / self._std).to(self.dtype)

    def _checked(self, texts: Sequence[str]) -> Tokens:
        if isinstance(texts, str) or not texts:
            raise ShieldCLIPError(f"Expected a list of at least one text, got {texts!r}.")
        return self._tokenize(list(texts))

    def _in_passes(self, compute: Callable[[Tensor], Tensor], ids: Tensor) -> Tensor:
        passes = torch.split(ids, TEXTS_PER_PASS)
        return torch.cat([compute(part.to(self.device)) for part in passes])


def _unit(features: Tensor) -> Tensor:
    return F.normalize(features.float(), dim=-1)
