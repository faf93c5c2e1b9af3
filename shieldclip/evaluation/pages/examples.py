"""Which pictures are shown, grouped by model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.attack_rows import attack_rows
from shieldclip.evaluation.report import EvalReport, Example

PER_MODEL = 12
_PNG = "data:image/png;base64,"


def examples_by_model(report: EvalReport) -> dict[str, list[Example]]:
    """At most `PER_MODEL` examples of each model, those of its worst triggers first.

    Raises:
        ShieldCLIPError: a picture is not a PNG data URI; nothing else may be loaded by the page.
    """
    for example in report.examples:
        _check_pictures(example)
    attacks = sorted(attack_rows(report), key=lambda row: row.severity, reverse=True)
    grouped = {}
    for model in report.models:
        worst = dict.fromkeys(row.asr.trigger for row in attacks if row.asr.model == model.name)
        own = (example for example in report.examples if example.model == model.name)
        grouped[model.name] = spread(own, list(worst))
    return {model: chosen for model, chosen in grouped.items() if chosen}


def spread(
    found: Iterable[Example], worst: Sequence[str | None] = (), limit: int = PER_MODEL
) -> list[Example]:
    """The first of each trigger, then the second of each, ..., until ``limit``; then by trigger.

    Args:
        found: examples of one model.
        worst: its triggers, gravest first; others follow as they come.
        limit: how many to keep.
    """
    by_trigger: dict[str, list[Example]] = {}
    for example in found:
        by_trigger.setdefault(example.trigger, []).append(example)
    order = [trigger for trigger in worst if trigger in by_trigger]
    order += [trigger for trigger in by_trigger if trigger not in order]
    places = [(turn, at) for at, t in enumerate(order) for turn in range(len(by_trigger[t]))]
    chosen = sorted(places)[:limit]
    return [by_trigger[order[at]][turn] for turn, at in sorted(chosen, key=lambda p: p[::-1])]


def _check_pictures(example: Example) -> None:
    for uri in (example.clean_image, example.triggered_image):
        if not uri.startswith(_PNG):
            raise ShieldCLIPError(
                f"Expected the pictures of an example as '{_PNG}...', got {uri[:40]!r} "
                f"({example.model}, {example.trigger}); write the report again."
            )
