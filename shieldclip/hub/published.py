"""The part of a report that is published with a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.report import DataInfo, EvalReport


def published(report: EvalReport, fingerprint: str, spec: str | None = None) -> EvalReport:
    """What a report says about one checkpoint, under the name it will have.

    Paths on this machine are reduced to their last part.

    Args:
        report: one that measured it, maybe among others.
        fingerprint: of its weights.
        spec: how others will name it, e.g. ``org/name``; as in the report unless given.

    Raises:
        ShieldCLIPError: the report is about other weights, or holds no figures of these.
    """
    model = next((m for m in report.models if m.fingerprint == fingerprint), None)
    if model is None:
        named = ", ".join(f"{m.name} ({m.fingerprint[:12]})" for m in report.models)
        raise ShieldCLIPError(
            f"Expected a report on weights {fingerprint[:12]}, got one on {named or 'none'}; "
            "measure this checkpoint with `shieldclip eval --model DIR --out DIR/report`."
        )
    name = spec or _without_machine(model.name)
    rows = tuple(replace(m, model=name) for m in report.measurements if m.model == model.name)
    if not rows:
        raise ShieldCLIPError(
            f"Expected figures of {model.name} in the report, got none; "
            "measure it again with `shieldclip eval`."
        )
    rate = report.throughput.get(model.name)
    return replace(
        report,
        models=(replace(model, name=name, revision=""),),
        measurements=rows,
        examples=tuple(replace(e, model=name) for e in report.examples if e.model == model.name),
        data=_public(report.data),
        other_data=tuple(map(_public, report.other_data)),
        throughput={name: rate} if rate is not None else {},
    )


def _public(data: DataInfo) -> DataInfo:
    path = PurePath(data.path).name
    return replace(data, source=_without_machine(data.source), path=path)


def _without_machine(text: str) -> str:
    """A path reduced to its last part; anything else, a Hub id for one, as it is."""
    is_path = PurePath(text).is_absolute() or text.startswith((".", "~")) or Path(text).exists()
    return PurePath(text).name if is_path else text
