"""A matching in figures."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import torch

from shieldclip.data.source import Source
from shieldclip.matching.detection import Detection, Figure
from shieldclip.matching.distances import Work
from shieldclip.matching.judge import DROP, KEEP, RECAPTION, Matching
from shieldclip.matching.pairs import Pairs
from shieldclip.matching.risk import DISTINCT, Split
from shieldclip.matching.settings import MatchSettings
from shieldclip.matching.words import AccusedWord
from shieldclip.types import Encoder

LIBRARIES = ("shieldclip", "torch", "scikit-learn", "numpy")


@dataclass(frozen=True)
class Summary:
    """What is said of a matching; plain values."""

    source: str
    data_fingerprint: str
    model: str
    model_fingerprint: str
    warning: str
    settings: MatchSettings
    rows: int
    pairs: int
    texts: int
    """Different captions."""
    pool: int
    """Captions to choose from."""
    kept: int
    recaptioned: int
    dropped: int
    unreadable: int
    """Pairs whose picture cannot be read; they are dropped."""
    rows_left: int
    """Rows of the cleaned data set."""
    split: dict[str, Any]
    """Threshold and components of the mixture, in units of the gap."""
    words: tuple[AccusedWord, ...]
    """Words whose captions do not fit, most of them."""
    detection: Detection | None
    work: Work
    recall: float | None
    """Of an approximate search: share of sampled pictures with the truly nearest caption."""
    versions: dict[str, str]

    @property
    def distrusted(self) -> int:
        """Pairs above the threshold."""
        return self.recaptioned + self.dropped - self.unreadable

    def to_json(self) -> str:
        """Indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def summarise(
    source: Source,
    encoder: Encoder,
    pairs: Pairs,
    matching: Matching,
    settings: MatchSettings,
    *,
    rows_left: int,
    work: Work,
    recall: float | None,
) -> Summary:
    """The figures of a finished matching."""
    decisions = matching.table["decision"].to_pylist()
    return Summary(
        source=source.source,
        data_fingerprint=source.fingerprint,
        model=encoder.name,
        model_fingerprint=encoder.fingerprint,
        warning=encoder.warning,
        settings=settings,
        rows=len(torch.unique(pairs.row)),
        pairs=len(pairs),
        texts=len(pairs.texts),
        pool=len(pairs.pool(settings.pool, settings.seed)),
        kept=decisions.count(KEEP),
        recaptioned=decisions.count(RECAPTION),
        dropped=decisions.count(DROP),
        unreadable=matching.table["risk"].null_count,
        rows_left=rows_left,
        split=_split_record(matching.split),
        words=matching.words,
        detection=matching.detection,
        work=work,
        recall=recall,
        versions={name: version(name) for name in LIBRARIES},
    )


def headline(summary: Summary) -> str:
    """``56 of 688 pairs are distrusted``."""
    count = f"{summary.distrusted:,}" if summary.distrusted else "None"
    verb = "is" if summary.distrusted == 1 else "are"
    return f"{count} of {summary.pairs:,} pairs {verb} distrusted"


def facts(summary: Summary) -> Sequence[tuple[str, str]]:
    """Names and figures, in the order in which they are shown."""
    work, settings = summary.work, summary.settings
    solved = work.solved / work.pairs if work.pairs else 0.0
    exact = "exact" if settings.candidates is None else f"best {settings.candidates:,} by cosine"
    recall = "" if summary.recall is None else f", recall {summary.recall:.3f}"
    return (
        ("Model", summary.model),
        ("Data", f"{summary.source}: {summary.rows:,} rows, {summary.pairs:,} pairs"),
        ("Pool", f"{summary.pool:,} of {summary.texts:,} different captions"),
        ("Distance", f"α {settings.alpha:g}, ε {settings.epsilon:g}; {exact}{recall}"),
        ("Kept", _count(summary.kept)),
        ("New caption", _count(summary.recaptioned)),
        ("Dropped", f"{_count(summary.dropped)}{_unreadable(summary)}"),
        ("Cleaned data", f"{summary.rows_left:,} rows"),
        ("Threshold", _threshold(summary)),
        *_word_facts(summary.words),
        *_detection_facts(summary.detection),
        (
            "Search",
            f"{work.pairs:,} distances in {work.seconds:,.1f} s, {solved:.1%} of them solved",
        ),
    )


def _count(pairs: int) -> str:
    return f"{pairs:,} pair" if pairs == 1 else f"{pairs:,} pairs"


def _unreadable(summary: Summary) -> str:
    return f", {summary.unreadable:,} of them unreadable" if summary.unreadable else ""


def _threshold(summary: Summary) -> str:
    gap, separation = summary.split["threshold"], summary.split["separation"]
    if gap is None:
        return (
            f"none: the mixture's components lie {separation:.1f} deviations apart, and no group "
            f"stands out below {DISTINCT:g}"
        )
    return (
        f"gap {gap:.3f} (risk {summary.settings.threshold:g}); components lie {separation:.1f} "
        "deviations apart"
    )


def _word_facts(words: Sequence[AccusedWord]) -> Sequence[tuple[str, str]]:
    if not words:
        return ()
    said = (f"“{word.word}” ({word.share:.0%} of {word.pairs:,} pairs)" for word in words)
    return (("Words that do not fit", ", ".join(said)),)


def _detection_facts(detection: Detection | None) -> Sequence[tuple[str, str]]:
    if detection is None:
        return ()
    return (
        ("Poisoned", f"{detection.poisoned:,} of {detection.poisoned + detection.clean:,} pairs"),
        ("ROC-AUC", _figure(detection.roc_auc)),
        ("PR-AUC", _figure(detection.pr_auc)),
        ("FPR@95", _figure(detection.fpr_at_95)),
    )


def _figure(figure: Figure) -> str:
    return f"{figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]"


def _split_record(split: Split) -> dict[str, Any]:
    """JSON knows no infinity."""
    return {
        "threshold": split.threshold if math.isfinite(split.threshold) else None,
        "separation": split.separation,
        "trusted": asdict(split.trusted) if split.trusted else None,
        "suspicious": asdict(split.suspicious) if split.suspicious else None,
    }
