"""Pictures, captions and their knowledge elements -> what `ShieldCLIPModel.forward` takes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import BatchEncoding, BatchFeature, CLIPProcessor

from shieldclip.errors import ShieldCLIPError

PADDING = -1
"""In ``element_index``, where a caption has fewer elements than the longest."""


class ShieldCLIPProcessor(CLIPProcessor):
    """A `CLIPProcessor` with the settings that training needs as defaults.

    Captions are padded and truncated, special tokens typed into them are split (a typed
    ``<|endoftext|>`` would end the text), and float pictures, which are in [0, 1], are not divided
    by 255 again. Its folder names `CLIPProcessor`, so that it opens without this package.
    """

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, **kwargs: Any) -> None:
        """Combine an image processor and a tokenizer."""
        super().__init__(image_processor, tokenizer, **kwargs)
        # Not an option of a processor's call; saved with the tokenizer only if in both places.
        self.tokenizer.split_special_tokens = True
        self.tokenizer.init_kwargs["split_special_tokens"] = True

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:
        """Prepare a batch.

        Args:
            images: pictures, uint8 arrays or tensors, or float ones in [0, 1].
            text: a caption or a list of captions.
            kwargs: as for `CLIPProcessor`; they win over the defaults.

        Returns:
            ``pixel_values`` ``[B, 3, S, S]``; ``input_ids`` and ``attention_mask`` ``[B, L]``.
        """
        kwargs.setdefault("return_tensors", "pt")
        if text is not None:
            kwargs.setdefault("padding", True)
            kwargs.setdefault("truncation", True)
        if images is not None and _is_float(images):
            kwargs.setdefault("do_rescale", False)
        return super().__call__(images=images, text=text, **kwargs)

    def encode_elements(self, elements: Sequence[Sequence[str]]) -> BatchEncoding:
        """Tokenize the knowledge elements of B captions, each different one once.

        Args:
            elements: of every caption; a caption may have none.

        Returns:
            ``element_input_ids`` and ``element_attention_mask`` ``[U, L]`` of the unique elements,
            in order of appearance; ``element_index`` ``[B, M]``, rows of these per caption, -1
            where there is none; ``element_keys`` ``[U]``, 64-bit hashes that identify an element
            in every batch and process.
        """
        unique, places = index_elements(elements)
        tokens = self(text=unique)
        return BatchEncoding(
            {
                "element_input_ids": tokens["input_ids"],
                "element_attention_mask": tokens["attention_mask"],
                **places,
            }
        )

    def match(
        self,
        model: Any,
        images: Sequence[Any],
        text: Sequence[str] | Sequence[Sequence[str]],
        *,
        batch_size: int = 64,
        **settings: Any,
    ) -> Any:
        """Find pairs whose caption does not fit, and captions that do, all in memory.

        The same judgement as ``shieldclip match``, which is for data on disk.

        Args:
            model: a `ShieldCLIPModel` in evaluation mode.
            images: N pictures, as `__call__` takes them.
            text: their captions, one or a list for each.
            batch_size: pictures or captions encoded at once.
            settings: fields of `shieldclip.matching.MatchSettings`, e.g. ``alpha=0.5``.

        Returns:
            A `pyarrow.Table`, a row per pair, with the columns ``row``, ``caption``,
            ``own_distance``, ``new_caption``, ``best_distance``, ``gap``, ``risk``, ``decision``.

        Raises:
            ShieldCLIPError: not one caption or list of captions per picture, fewer than two
                different captions, an empty one, or features that are not finite.
        """
        # Here, because a processor that only prepares batches needs none of it.
        from shieldclip.matching import MatchSettings, Pairs, match_features
        from shieldclip.modeling.matching import LocalFeatures

        captions = [[one] if isinstance(one, str) else list(one) for one in text]
        if len(captions) != len(images):
            raise ShieldCLIPError(
                f"Expected captions for each of {len(images)} pictures, got {len(captions)}; "
                "pass one string or list of strings per picture."
            )
        pairs = Pairs.of(captions)
        features = LocalFeatures(model, self, batch_size)
        return match_features(
            pairs, features.images(images), features.texts(pairs.texts), MatchSettings(**settings)
        ).table

    def to_dict(self) -> dict[str, Any]:
        """What ``processor_config.json`` says."""
        return {**super().to_dict(), "processor_class": CLIPProcessor.__name__}


def index_elements(elements: Sequence[Sequence[str]]) -> tuple[list[str], dict[str, Tensor]]:
    """The unique elements of B captions, U of them, and where each caption's are.

    Returns:
        The elements in order of appearance, an empty one if there is none, so that every process
        does the same work; ``element_index`` ``[B, M]`` and ``element_keys`` ``[U]`` as in
        `ShieldCLIPProcessor.encode_elements`.
    """
    own = [list(dict.fromkeys(phrases)) for phrases in elements]
    unique = list(dict.fromkeys(phrase for phrases in own for phrase in phrases)) or [""]
    place = {phrase: row for row, phrase in enumerate(unique)}
    longest = max(map(len, own), default=0)
    index = [
        [place[phrase] for phrase in phrases] + [PADDING] * (longest - len(phrases))
        for phrases in own
    ]
    return unique, {
        "element_index": torch.tensor(index, dtype=torch.long).reshape(len(own), longest),
        "element_keys": torch.tensor([element_key(phrase) for phrase in unique]),
    }


def element_key(phrase: str) -> int:
    """A signed 64-bit hash of a knowledge element."""
    digest = hashlib.blake2b(phrase.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _is_float(images: Any) -> bool:
    first = images[0] if isinstance(images, (list, tuple)) and images else images
    kind = getattr(first, "dtype", None)
    return kind is not None and "float" in str(kind)
