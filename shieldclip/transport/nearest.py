"""The caption nearest to an image, by transport between patches and words.

The distance is ``α (1 - cos) + (1 - α) <T_ε, C>`` with ``C = 1 - patches words^T`` and T_ε the
entropic plan (OTCCLIP, EMNLP 2025, matching step).
"""

from __future__ import annotations

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError
from shieldclip.transport import pooling
from shieldclip.transport.backends import among_module, backend_module, choose_backend
from shieldclip.transport.bags import Bags
from shieldclip.transport.checks import check_candidates, check_features, check_globals
from shieldclip.transport.pairs import precise_pairs
from shieldclip.transport.results import Nearest
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings

SEEDS = 4
"""Captions of highest global cosine that a search solves first: later bounds exclude more."""
WORTH_SEEDING = 500
"""Captions from which seeds pay."""


def nearest_captions(
    patches: Tensor,
    captions: Bags,
    *,
    epsilon: float = 0.05,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
    images: Tensor | None = None,
    texts: Tensor | None = None,
    global_weight: float = 0.0,
    candidates: int | Tensor | None = None,
    backend: str = "auto",
) -> Nearest:
    """The nearest of N captions for every image: exactly the one that solving all would find.

    A caption is solved only where its lower bound does not exceed the best distance so far;
    distances within the tolerance of the best are compared again in float64, and the lowest index
    wins ties. Memory beside local and global features does not grow with N: the compiled kernel
    works in 2 to 5 MB a thread (`torch.get_num_threads`).

    Args:
        patches: ``[I, P, D]`` unit vectors, of equal weight within an image.
        captions: N sets of unit vectors of width D; an empty one is never chosen.
        epsilon: Entropic regularisation ε, in units of the cost (0 to 2).
        tolerance: L1 error of the plan's row sums at which a problem stops; what is returned is
            solved to a twentieth of it. Distances are within 1e-5 at 1e-4, 1e-6 at 1e-6.
        max_iterations: Where a problem stops at the latest; counted in ``stats.unconverged``.
        images: ``[I, G]`` global unit vectors; needed where ``global_weight`` is above 0.
        texts: ``[N, G]`` global unit vectors of the captions, likewise.
        global_weight: α, from 0 (transport only) to 1 (global cosine only).
        candidates: Approximate search: only the k captions of highest global cosine (of mean
            patch and word where ``images`` and ``texts`` are not given) are compared. See
            `approximate_recall`. Or these captions themselves, ``[I, K]`` int64.
        backend: ``native`` (compiled, CPU), ``torch``, ``triton`` (GPU), or ``auto``.

    Raises:
        ShieldCLIPError: for shapes that do not fit, features that are not finite (naming the
            row), settings out of range, or a backend that does not run here.
    """
    settings = SearchSettings(epsilon, tolerance, max_iterations, global_weight)
    check_features(patches, captions)
    given = _given_globals(patches, captions, images, texts, global_weight)
    name = choose_backend(backend, patches.device)
    if candidates is not None:
        rows = _candidates(patches, captions, given, candidates)
        return among_module(name).search_among(patches, captions, rows, settings, given)
    seeds = None
    if len(captions) >= WORTH_SEEDING:
        seeds = _candidates(patches, captions, given, SEEDS)
    return backend_module(name).search(patches, captions, settings, given, seeds)


def pair_distances(
    patches: Tensor,
    captions: Bags,
    *,
    epsilon: float = 0.05,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
    images: Tensor | None = None,
    texts: Tensor | None = None,
    global_weight: float = 0.0,
    backend: str = "auto",
    precise: bool = False,
) -> Tensor:
    """Distance ``[I]`` (float32, CPU) of every image to the caption of the same place.

    Infinite where that caption is empty. With ``precise`` in float64, to 1e-9: what decides near
    ties. Other arguments and errors as `nearest_captions`.
    """
    if len(patches) != len(captions):
        raise ShieldCLIPError(
            f"Expected one caption per image, got {len(captions)} for {len(patches)} images; "
            "repeat or select() captions so that rows agree."
        )
    settings = SearchSettings(epsilon, tolerance, max_iterations, global_weight)
    check_features(patches, captions)
    given = _given_globals(patches, captions, images, texts, global_weight)
    name = choose_backend(backend, patches.device)
    if precise:
        return precise_pairs(patches, captions, settings, given)
    return backend_module(name).pair_distances(patches, captions, settings, given)


def approximate_recall(
    patches: Tensor,
    captions: Bags,
    candidates: int,
    *,
    sample: int = 256,
    seed: int = 0,
    images: Tensor | None = None,
    texts: Tensor | None = None,
    backend: str = "auto",
    epsilon: float = 0.05,
    global_weight: float = 0.0,
) -> float:
    """Share of images, of a random sample, whose true nearest caption an approximate search finds.

    Arguments and errors as `nearest_captions`.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(patches), generator=generator)[:sample]
    some = None if images is None else images[rows.to(images.device)]
    exact, found = (
        nearest_captions(
            patches[rows.to(patches.device)],
            captions,
            images=some,
            texts=texts,
            candidates=count,
            backend=backend,
            epsilon=epsilon,
            global_weight=global_weight,
        )
        for count in (None, candidates)
    )
    return float((exact.index == found.index).float().mean())


def _given_globals(
    patches: Tensor, captions: Bags, images: Tensor | None, texts: Tensor | None, weight: float
) -> GlobalFeatures | None:
    if images is not None and texts is not None:
        given = GlobalFeatures(images, texts)
        check_globals(len(patches), len(captions), given)
        return given
    if weight > 0 or images is not None or texts is not None:
        raise ShieldCLIPError(
            f"Expected global features of images and texts with global_weight {weight}, got "
            f"{'images' if images is not None else 'texts' if texts is not None else 'neither'} "
            "only; pass both `images` and `texts`."
        )
    return None


def _candidates(
    patches: Tensor, captions: Bags, given: GlobalFeatures | None, count: int | Tensor
) -> Tensor:
    if isinstance(count, Tensor):
        return check_candidates(len(patches), len(captions), count).cpu()
    if count < 1:
        raise ShieldCLIPError(
            f"Expected at least 1 candidate per image, got {count}; leave it out for exact search."
        )
    return pooling.top_captions(given or pooling.pooled(patches, captions), captions, count)[1]
