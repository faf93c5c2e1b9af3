"""`match`: a data set and a model in, a folder with table, cleaned data, summary and page out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from shieldclip.attacks.manifest import Manifest
from shieldclip.data.parts import Part
from shieldclip.data.source import Source
from shieldclip.drafts import write_text
from shieldclip.errors import ShieldCLIPError
from shieldclip.matching.cache import FeatureCache
from shieldclip.matching.centring import Middle
from shieldclip.matching.cleaned import write_cleaned
from shieldclip.matching.distances import DistanceCache, Work
from shieldclip.matching.folder import MatchFolder
from shieldclip.matching.judge import Matching, judge
from shieldclip.matching.page import render_page
from shieldclip.matching.pairs import Pairs
from shieldclip.matching.search import approximate_recall
from shieldclip.matching.settings import MatchSettings
from shieldclip.matching.shards import Worker
from shieldclip.matching.summary import Summary, summarise
from shieldclip.matching.table import save_table
from shieldclip.types import Encoder

RECALL_SAMPLE = 64
"""Pictures that an approximate search is compared with an exact one on."""


@dataclass(frozen=True)
class Computing:
    """How features are computed; of no influence on what they mean.

    Attributes:
        batch_size: pictures or texts encoded at once.
        precision: format the encoder computes in, as the user named it; features of different
            formats are kept apart.
    """

    batch_size: int = 64
    precision: str = "auto"


def match(
    source: Source,
    encoder: Encoder,
    out: Path,
    settings: MatchSettings | None = None,
    *,
    computing: Computing | None = None,
    manifest: Manifest | None = None,
    part: Part | None = None,
    resume: bool = False,
    worker: Worker | None = None,
) -> Summary | None:
    """Match every picture with the captions of all, judge every pair, and write `MatchFolder`.

    Started in several processes on one folder, each makes its share of the shards, and the first
    puts them together. Killed and started again with ``resume``, shards that are there are used.

    Args:
        source: pictures with captions.
        encoder: the model; it should not have learned the poisons (docs/matching.md).
        out: empty folder, or with ``resume`` one of the same model and data.
        settings: how to match; the defaults unless given.
        computing: batch size and precision.
        manifest: which rows are poisoned, to measure detection.
        part: judge only its pictures, with the captions of all: those that the model was not
            trained on (a recipe's ``data.leave_out``).
        resume: go on in a folder that was begun.
        worker: which of several processes this is; by default told by the environment.

    Returns:
        The figures; ``None`` in all processes but the first.

    Raises:
        ShieldCLIPError: data without captions, a manifest of other data, a model without patch or
            token features, features that are not finite, or a folder that is in use.
    """
    settings, computing = settings or MatchSettings(), computing or Computing()
    worker = worker or Worker.from_environment()
    pairs = _pairs(source, part)
    _check_manifest(manifest, source, pairs)
    folder = MatchFolder(out)
    belongs_to = {"model": encoder.fingerprint, "data": source.fingerprint}
    belongs_to |= {"part": str(part)} if part else {}
    folder.open(belongs_to, resume=resume, worker=worker)
    features = FeatureCache(
        folder.features,
        encoder,
        source,
        pairs,
        batch_size=computing.batch_size,
        precision=computing.precision,
        worker=worker,
    )
    features.fill()
    distances = DistanceCache(folder.distances, features, pairs, settings, worker)
    distances.fill()
    if not worker.leads:
        return None
    found, work = distances.gather()
    features.check_readable(range(len(features.image_shards)))  # of all processes
    matching = judge(pairs, found, settings, None if manifest is None else manifest.rows)
    recall = _recall(features, pairs, settings, distances.middle)
    return _write(folder, source, encoder, pairs, matching, settings, work, recall)


def _write(
    folder: MatchFolder,
    source: Source,
    encoder: Encoder,
    pairs: Pairs,
    matching: Matching,
    settings: MatchSettings,
    work: Work,
    recall: float | None,
) -> Summary:
    """All results; the summary comes last and says that the others are there."""
    save_table(matching.table, folder.table)
    rows_left = write_cleaned(source, matching.table, folder.cleaned)
    summary = summarise(
        source, encoder, pairs, matching, settings, rows_left=rows_left, work=work, recall=recall
    )
    write_text(folder.page, render_page(source, encoder, matching, summary))
    write_text(folder.summary, summary.to_json())
    return summary


def _pairs(source: Source, part: Part | None) -> Pairs:
    if not source.captions:
        raise ShieldCLIPError(
            f"Expected captions in {source.source}, got none; name their column with "
            "--caption-column."
        )
    pairs = Pairs.of(source.captions)
    return pairs if part is None else pairs.of_rows(part.of_rows(source.rows))


def _check_manifest(manifest: Manifest | None, source: Source, pairs: Pairs) -> None:
    """Before the work, not after."""
    if manifest is None:
        return
    rows = manifest.rows
    if not rows or not 0 <= min(rows) <= max(rows) < len(source.rows):
        raise ShieldCLIPError(
            f"Expected a manifest of rows 0 to {len(source.rows) - 1}, got "
            f"{f'rows {min(rows)} to {max(rows)}' if rows else 'no row'}; "
            "pass the manifest of this data set."
        )
    poisoned = np.isin(pairs.row.numpy(), rows)
    if not 0 < poisoned.mean() < 1:
        raise ShieldCLIPError(
            f"Expected poisoned and clean pairs among the {len(pairs)} to judge, got "
            f"{poisoned.sum()} poisoned ones; leave out --manifest."
        )


def _recall(
    features: FeatureCache, pairs: Pairs, settings: MatchSettings, middle: Middle | None
) -> float | None:
    if settings.candidates is None:
        return None
    shards = (features.images(shard)[1] for shard in range(len(features.image_shards)))
    images = next(some for some in shards if len(some.whole))
    sample = torch.arange(min(RECALL_SAMPLE, len(images.whole)))
    pool = features.text_chunks(pairs.pool(settings.pool, settings.seed))
    return approximate_recall(images.take(sample), pool, settings, middle)
