"""Visits -> batches of tensors, as the model and a defence take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import torch
from torch import Tensor

from shieldclip.knowledge import Knowledge, SentenceVectors
from shieldclip.modeling import ShieldCLIPProcessor
from shieldclip.modeling.processor import element_key, index_elements
from shieldclip.training.pairs.augmentation import VIEW, augment, visit_ids
from shieldclip.training.pairs.caption_views import vary_captions
from shieldclip.training.pairs.drawing import draw_captions
from shieldclip.training.pairs.picture_ids import picture_ids
from shieldclip.training.pairs.pixels import Pixels
from shieldclip.training.pairs.visits import Visit
from shieldclip.training.recipe.schema import Augmentation


@dataclass(frozen=True)
class Elements:
    """Knowledge elements of captions."""

    knowledge: Knowledge
    most: int
    """Elements of a caption that are kept."""
    vectors: SentenceVectors | None = None
    """Of all of them, where the text tower does not embed them."""

    @property
    def width(self) -> int:
        """Of `vectors`; 0 where there are none."""
        return 0 if self.vectors is None else self.vectors.table.shape[1]

    def of(self, caption: str) -> tuple[str, ...]:
        """Elements of one caption."""
        return self.knowledge.of_caption(caption)[: self.most]

    def meaning(self, caption: str) -> int:
        """Signed 64 bits, equal for captions with equal elements: the sum of their keys."""
        total = sum(map(element_key, dict.fromkeys(self.of(caption))))
        return (total + 2**63) % 2**64 - 2**63

    def of_all(self, captions: Iterable[str]) -> set[str]:
        """Elements of many captions, each once."""
        return {phrase for caption in set(captions) for phrase in self.of(caption)}


@dataclass(frozen=True)
class SecondViews:
    """A second, otherwise changed view of some pairs of each batch."""

    share: float
    """Of the batch: its first pairs, unless a plan names others."""
    augmentation: Augmentation
    """Of their pictures; captions see `vary_captions`."""


@dataclass(frozen=True)
class Preparation:
    """What happens to a picture and its caption before the model sees them."""

    processor: ShieldCLIPProcessor
    augmentation: Augmentation
    seed: int
    elements: Elements | None = None
    views: SecondViews | None = None
    vary_captions: bool = False
    """Whether first views of captions see `vary_captions` as well."""

    def batch(
        self,
        pixels: Tensor,
        captions: Sequence[str],
        visits: Tensor,
        again: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Prepare B pairs, and second views of some as further rows of what the model sees.

        Args:
            pixels: ``[B, 3, S, S]`` uint8.
            captions: one a picture.
            visits: ``[B]``, see `visit_ids`.
            again: ``[R]``, which pairs are seen twice; the share that `views` says unless given.
        """
        images = augment(pixels.float().div_(255), visits, self.seed, self.augmentation)
        texts = vary_captions(captions, visits, self.seed) if self.vary_captions else list(captions)
        batch = {"picture": picture_ids(pixels)}
        if self.views is not None:
            if again is None:
                again = torch.arange(round(self.views.share * len(visits)))
            batch["again"] = again
            second = visit_ids(visits[again], VIEW)
            images = torch.cat([images, self._seen_again(pixels[again], second)])
            texts += vary_captions([captions[n] for n in again.tolist()], second, self.seed)
            visits = torch.cat([visits, second])
        tokens = self.processor(text=texts)
        batch |= {
            "visit": visits,
            "pixel_values": self._normalised(images),
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
        }
        if self.elements is not None:
            own = [self.elements.of(caption) for caption in captions]
            batch |= encode_elements(own, self.processor, self.elements.vectors)
        return batch

    def _seen_again(self, pixels: Tensor, visits: Tensor) -> Tensor:
        """Second views of pictures ``[R, 3, S, S]``."""
        assert self.views is not None
        images = pixels.float().div_(255)
        if len(images) == 0:  # torch moves no empty batch
            return images
        return augment(images, visits, self.seed, self.views.augmentation)

    def _normalised(self, images: Tensor) -> Tensor:
        settings = self.processor.image_processor
        mean = torch.tensor(settings.image_mean).view(3, 1, 1)
        deviation = torch.tensor(settings.image_std).view(3, 1, 1)
        return images.sub_(mean).div_(deviation)


@dataclass(frozen=True)
class PairDataset(torch.utils.data.Dataset[dict[str, Tensor]]):
    """Pairs by row; a whole batch is made at once."""

    pixels: Pixels
    captions: Sequence[Sequence[str]]
    """One or several per pair."""
    preparation: Preparation

    def __len__(self) -> int:
        return len(self.captions)

    def __getitems__(self, visits: list[Visit]) -> dict[str, Tensor]:
        """One batch."""
        rows, pixels = self.pixels.read([visit.row for visit in visits])
        ids = visit_ids(torch.tensor(rows), visits[0].epoch)
        bad = sum(row != visit.row for row, visit in zip(rows, visits, strict=True))
        own, planned = self._own_captions(rows, ids), _planned(rows, visits)
        captions = [
            drawn if text is None else text for drawn, text in zip(own, planned, strict=True)
        ]
        batch = self.preparation.batch(pixels, captions, ids, _seen_twice(visits))
        batch |= {
            "row": torch.tensor(rows),
            "recaptioned": _recaptioned(planned),
            "bad": torch.tensor(bad),
        }
        if self.preparation.elements is not None:
            batch["own_meaning"] = torch.tensor(
                [self.preparation.elements.meaning(caption) for caption in own]
            )
        if any(visit.weight != 1 for visit in visits):
            batch["pair_weight"] = torch.tensor([visit.weight for visit in visits])
        return batch

    def _own_captions(self, rows: Sequence[int], ids: Tensor) -> list[str]:
        """One of each pair's own, drawn anew at every visit."""
        return draw_captions([self.captions[row] for row in rows], ids, self.preparation.seed)


def _planned(rows: Sequence[int], visits: Sequence[Visit]) -> list[str | None]:
    """The plan's captions, where these are the rows that it is about."""
    return [
        visit.caption if visit.row == row else None for row, visit in zip(rows, visits, strict=True)
    ]


def _recaptioned(planned: Sequence[str | None]) -> Tensor:
    """``[B]`` int64: 0, or a hash of the plan's caption."""
    return torch.tensor([0 if text is None else 1 + crc32(text.encode()) for text in planned])


def _seen_twice(visits: Sequence[Visit]) -> Tensor | None:
    """``[R]`` places of visits with a second view; none where the plan does not say."""
    if any(visit.twice is None for visit in visits):
        return None
    places = [place for place, visit in enumerate(visits) if visit.twice]
    return torch.tensor(places, dtype=torch.int64)


def encode_elements(
    elements: Sequence[Sequence[str]],
    processor: ShieldCLIPProcessor,
    vectors: SentenceVectors | None,
) -> dict[str, Tensor]:
    """Elements of B captions as a model takes them: as tokens, or as vectors where these exist."""
    if vectors is None:
        return dict(processor.encode_elements(elements))
    unique, places = index_elements(elements)
    return places | {"element_features": vectors.of(unique)}


def as_made(batch: Any) -> Any:
    """Nothing is left to collate."""
    return batch
