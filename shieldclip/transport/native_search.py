"""Nearest captions and pair distances by the compiled CPU kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.transport.bags import Bags
from shieldclip.transport.native import library
from shieldclip.transport.results import Nearest, SearchStats
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings


def search(
    patches: Tensor,
    captions: Bags,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
    seeds: Tensor | None = None,
) -> Nearest:
    """Exact nearest caption of every image; inputs as checked by ``nearest_captions``.

    Args:
        patches: ``[I, P, D]`` unit vectors.
        captions: N sets of unit vectors.
        settings: Of the search.
        globals_: Global features, needed where their weight is above 0.
        seeds: ``[I, K]`` captions to solve first, per image.
    """
    if seeds is None:
        seeds = torch.zeros(len(patches), 0, dtype=torch.int64)
    call = _Call.prepare(patches, captions, settings, globals_)
    return call.run(library.load().shieldclip_search, seeds)


def search_among(
    patches: Tensor,
    captions: Bags,
    rows: Tensor,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
) -> Nearest:
    """Nearest of the captions ``rows`` ``[I, K]`` of every image; other arguments as `search`."""
    call = _Call.prepare(patches, captions, settings, globals_)
    return call.run(library.load().shieldclip_search_among, rows)


def pair_distances(
    patches: Tensor,
    captions: Bags,
    settings: SearchSettings,
    globals_: GlobalFeatures | None = None,
) -> Tensor:
    """Distance ``[I]`` of every image to the caption of the same place."""
    rows = torch.arange(len(patches))[:, None]
    return search_among(patches, captions, rows, settings, globals_).distance


@dataclass(frozen=True)
class Inspection:
    """What the kernel knows of a pair before it solves it exactly; for tests.

    Attributes:
        cosines: ``[L, P]``, of words and patches, in 8 bits where the processor has VNNI.
        mean_doubt: How far ``<T, C>`` may be off by them, for any plan with uniform marginals.
        most_doubt: How far any of them may be off.
        bound: A lower bound of the distance.
        exceeds: Is the distance proven to exceed the limit?
    """

    cosines: Tensor
    mean_doubt: float
    most_doubt: float
    bound: float
    exceeds: bool


def inspect(patches: Tensor, words: Tensor, settings: SearchSettings, limit: float) -> Inspection:
    """One image ``[P, D]`` and one caption ``[L, D]``, L above 0."""
    caption = Bags(words, torch.tensor([0, len(words)]))
    call = _Call.prepare(patches[None], caption, settings, None)
    cosines = torch.empty(len(words), len(patches))
    found = library.Inspection()
    library.load().shieldclip_inspect(
        library.chosen().encode(), ctypes.byref(call.features), ctypes.byref(call.settings),
        limit, ctypes.byref(found), cosines.data_ptr(),
    )  # fmt: skip
    return Inspection(cosines, found.mean_doubt, found.most_doubt, found.bound, bool(found.exceeds))


@dataclass(frozen=True)
class _Call:
    """C structures of one call and the tensors they point into."""

    features: library.Features
    settings: library.Settings
    stats: library.Stats
    tensors: tuple[Tensor, ...]

    @staticmethod
    def prepare(
        patches: Tensor, captions: Bags, settings: SearchSettings, globals_: GlobalFeatures | None
    ) -> _Call:
        weight = settings.global_weight
        pooled = (globals_.images, globals_.texts) if globals_ and weight > 0 else ()
        floats = [_plain(tensor) for tensor in (patches, captions.features, *pooled)]
        offsets = captions.offsets.contiguous()
        pointers = [tensor.data_ptr() for tensor in floats]
        features = library.Features(
            *pointers[:2], offsets.data_ptr(), *(pointers[2:] or (None, None)),
            *patches.shape[:2], len(captions), patches.shape[2],
            pooled[0].shape[1] if pooled else 0,
        )  # fmt: skip
        plain = library.Settings(
            settings.epsilon, settings.tolerance, weight, settings.slack,
            settings.max_iterations, torch.get_num_threads(),
        )  # fmt: skip
        return _Call(features, plain, library.Stats(), (*floats, offsets))

    def run(self, function: Callable[..., None], rows: Tensor) -> Nearest:
        """Call a function of the library with captions ``[I, K]`` per image."""
        rows = rows.contiguous()
        index = torch.empty(len(rows), dtype=torch.int64)
        distance = torch.empty(len(rows), dtype=torch.float64)
        function(
            library.chosen().encode(), ctypes.byref(self.features), ctypes.byref(self.settings),
            rows.data_ptr(), rows.shape[1], index.data_ptr(), distance.data_ptr(),
            ctypes.byref(self.stats),
        )  # fmt: skip
        counts = self.stats
        # Pairs of a search that streams nothing are not counted: all of them are solved.
        pairs = max(counts.pairs, counts.solved)
        stats = SearchStats(
            pairs, counts.solved, pairs - counts.solved, counts.iterations, counts.unconverged,
            counts.buffer_bytes,
        )  # fmt: skip
        return Nearest(index, distance.float(), stats)


def _plain(features: Tensor) -> Tensor:
    return features.detach().to("cpu", torch.float32).contiguous()
