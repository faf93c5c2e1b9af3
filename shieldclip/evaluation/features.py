"""All embeddings of one model on one data set, each made once: `FeatureBank`."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from shieldclip.data.source import Source
from shieldclip.evaluation.passes import ImageTrigger, pass_key
from shieldclip.evaluation.pixels import Pixels
from shieldclip.evaluation.store import Arrays, Store
from shieldclip.progress import progress_bar
from shieldclip.types import Encoder


class FeatureBank:
    """Embeddings of pictures and texts: unit norm, float32, on the CPU.

    A *pass* sends every picture through the encoder once. The clean pass and all texts are kept
    on disk; the embeddings of the last trigger stay in memory, so that all protocols asking about
    that trigger share its pass.
    """

    def __init__(
        self,
        encoder: Encoder,
        source: Source,
        open_pixels: Callable[[], Pixels],
        store: Store,
        batch_size: int,
        precision: str,
        train: FeatureBank | None = None,
    ) -> None:
        self.encoder = encoder
        self.source = source
        self.store = store
        self.train = train
        """The same model on the training split, for probes."""
        self._open_pixels = open_pixels
        self._batch_size = batch_size
        self._text_key = {
            "model": encoder.fingerprint,
            "device": encoder.device.partition(":")[0],
            "precision": precision,
        }
        self._latest: tuple[str, Tensor] | None = None

    @property
    def key(self) -> dict[str, object]:
        """What every picture's embedding depends on, besides the trigger."""
        pixels = {"preprocessing": self.encoder.preprocessing, "size": self.encoder.image_size}
        return {**self._text_key, **pixels, "data": self.source.fingerprint}

    @property
    def clean(self) -> Tensor:
        """``[n, D]`` embeddings of the n readable pictures."""
        return self._clean["features"]

    @property
    def rows(self) -> Tensor:
        """``[n]`` int64: row of each readable picture in the data."""
        return self._clean["rows"]

    @property
    def rate(self) -> float:
        """Pictures per second of the clean pass, decoding included."""
        return float(self._clean["rate"])

    @cached_property
    def labels(self) -> Tensor:
        """``[n]`` int64: class of each readable picture."""
        return torch.tensor(self.source.labels, dtype=torch.int64)[self.rows]

    def triggered(self, trigger: ImageTrigger) -> Tensor:
        """``[n, D]`` embeddings of the readable pictures with ``trigger`` on them."""
        key = pass_key(trigger)
        if self._latest is None or self._latest[0] != key:
            self._latest = None  # free it before the next one is made
            self._latest = (key, self._encode(trigger)["features"])
        return self._latest[1]

    def pictures(self, places: Tensor, trigger: ImageTrigger) -> tuple[Tensor, Tensor]:
        """Pixels of the readable pictures at ``places`` [B], without and with a trigger.

        Returns:
            two ``[B, 3, S, S]`` uint8 tensors.
        """
        rows = self.rows[places]
        clean = self._open_pixels().take(rows)
        triggered = trigger(clean.float() / 255, rows)
        return clean, (triggered * 255).round().to(torch.uint8)

    def texts(self, texts: Sequence[str]) -> Tensor:
        """``[N, D]`` embeddings of N texts; equal texts are encoded once. Not kept on disk."""
        unique = list(dict.fromkeys(texts))
        place = {text: index for index, text in enumerate(unique)}
        with progress_bar("texts", len(unique)) as advance, torch.inference_mode():
            parts = []
            for at in range(0, len(unique), self._batch_size):
                batch = unique[at : at + self._batch_size]
                parts.append(self.encoder.encode_text(batch).float().cpu())
                advance(len(batch))
        return torch.cat(parts)[[place[text] for text in texts]]

    def kept_texts(self, texts: Sequence[str]) -> Tensor:
        """`texts`, kept on disk."""
        return self._kept("texts", texts, lambda: self.texts(texts))

    def ensemble(self, prompts: Sequence[Sequence[str]]) -> Tensor:
        """``[C, D]``: per class the normalised mean over the embeddings of its T prompts."""
        flat = [prompt for of_class in prompts for prompt in of_class]

        def mean() -> Tensor:
            features = self.texts(flat).reshape(len(prompts), len(prompts[0]), -1)  # [C, T, D]
            return torch.nn.functional.normalize(features.mean(dim=1), dim=-1)

        return self._kept("ensemble", prompts, mean)

    def _kept(self, kind: str, texts: Sequence[object], compute: Callable[[], Tensor]) -> Tensor:
        digest = hashlib.sha256(json.dumps(texts).encode()).hexdigest()
        key = {**self._text_key, kind: digest}
        return self.store.arrays("features", key, lambda: {"features": compute()})["features"]

    @cached_property
    def _clean(self) -> Arrays:
        return self.store.arrays("features", self.key, lambda: self._encode(None))

    def _encode(self, trigger: ImageTrigger | None) -> Arrays:
        """One pass."""
        title = f"{self.encoder.name}, {self.source.name}, {trigger.id if trigger else 'clean'}"
        device = self.encoder.device
        features, rows = [], []
        start = time.perf_counter()
        with progress_bar(title, len(self.source.rows)) as advance, torch.inference_mode():
            for batch_rows, pixels in self._open_pixels().batches(self._batch_size):
                images = pixels.to(device).float().div_(255)
                if trigger is not None:
                    images = trigger(images, batch_rows)
                features.append(self.encoder.encode_image(images).float().cpu())
                rows.append(batch_rows)
                advance(len(batch_rows))
        kept = torch.cat(rows)
        rate = len(kept) / (time.perf_counter() - start)
        return {"features": torch.cat(features), "rows": kept, "rate": torch.tensor(rate)}
