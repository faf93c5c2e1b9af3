"""What a report was measured with: models, data, versions."""

from __future__ import annotations

from shieldclip.evaluation.figures import count
from shieldclip.evaluation.report import DataInfo, EvalReport, ModelInfo
from shieldclip.evaluation.table import MISSING, Cell, Row, Table, numbers, texts

SKIPPED_NAMED = 20
"""How many skipped pictures are named before the rest is only counted."""


def models_table(report: EvalReport) -> Table:
    """One row per checkpoint."""
    columns = (
        *texts("Model", "Revision", "SHA-256", "Library"),
        *numbers("Parameters", "Image size, px", "Pictures/s"),
    )
    return Table(
        title="Models",
        columns=columns,
        rows=tuple(_model_row(model, report.throughput) for model in report.models),
    )


def data_table(report: EvalReport) -> Table:
    """One row per data set."""
    columns = (
        *texts("Data", "Source", "Split", "Path", "SHA-256"),
        *numbers("Pictures", "Skipped"),
    )
    return Table("Data", columns, tuple(_data_row(data) for data in all_data(report)))


def all_data(report: EvalReport) -> tuple[DataInfo, ...]:
    """Every data set of the report."""
    return (report.data, *report.other_data)


def versions_line(report: EvalReport) -> str:
    """``suite quick · seed 0 · shieldclip 0.1.0 · torch 2.15.0``."""
    versions = (f"{name} {version}" for name, version in report.versions.items())
    return " · ".join((f"suite {report.suite}", f"seed {report.seed}", *versions, report.schema))


def remarks(report: EvalReport) -> tuple[str, ...]:
    """Warnings of models, skipped pictures and notes, one sentence each."""
    warnings = (f"{model.name}: {model.warning}" for model in report.models if model.warning)
    skipped = (_skipped(data) for data in all_data(report) if data.skipped)
    return (*warnings, *skipped, *report.notes)


def _skipped(data: DataInfo) -> str:
    named = ", ".join(data.skipped[:SKIPPED_NAMED])
    hidden = len(data.skipped) - SKIPPED_NAMED
    more = f" and {count(hidden)} more, all in report.json" if hidden > 0 else ""
    return f"{data.name}: {count(len(data.skipped))} skipped, unreadable: {named}{more}."


def _model_row(model: ModelInfo, throughput: dict[str, float]) -> Row:
    rate = throughput.get(model.name)
    return (
        Cell(model.name),
        Cell(model.revision or MISSING),
        Cell(model.fingerprint[:16] or MISSING),
        Cell(model.library),
        Cell(count(model.parameters)),
        Cell(count(model.image_size)),
        Cell(MISSING if rate is None else f"{rate:,.0f}"),
    )


def _data_row(data: DataInfo) -> Row:
    return (
        Cell(data.name),
        Cell(data.source or MISSING),
        Cell(data.split or MISSING),
        Cell(data.path or MISSING),
        Cell(data.fingerprint[:16] or MISSING),
        Cell(count(data.n)),
        Cell(count(len(data.skipped))),
    )
