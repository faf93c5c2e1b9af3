"""What is plotted: one panel a question, as far as the logs have an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from plots.log import Log


@dataclass(frozen=True)
class Panel:
    """One plot over steps; every curve of it is drawn for every run."""

    title: str
    curves: tuple[tuple[str, ...], ...]
    """Of each curve the keys it may have in a log; a first one drawn solid, a second one dashed."""
    styles: tuple[str, ...] = ("",)
    """What the curves are called beside the run, where there are two."""
    share: bool = False
    """Whether values lie in ``[0, 1]`` and are shown in percent."""


CLEAN_AND_POISON = ("clean", "poison")
BEFORE = (Panel("Loss", (("loss",),)),)
AFTER = (
    Panel("Top-1, %", (("eval/ca@1", "eval/top1", "top1"),), share=True),
    Panel("ASR, %", (("eval/asr", "asr"),), share=True),
    Panel("RA, %", (("eval/ra",),), share=True),
    Panel("Evidence", (("evidence/clean",), ("evidence/poison",)), CLEAN_AND_POISON),
    Panel("Weight", (("weight/clean",), ("weight/poison",)), CLEAN_AND_POISON),
    Panel("Set aside, %", (("set_aside/clean",), ("set_aside/poison",)), CLEAN_AND_POISON, True),
    Panel("Attention on trigger, %", (("attention_on_trigger",),), share=True),
)
TERM = "loss/"


def panels(logs: Sequence[Log]) -> list[Panel]:
    """Losses, a panel a term, then evaluation and diagnostics; those without any value left out."""
    keys = list(dict.fromkeys(key for log in logs for key in log.keys))
    terms = [key for key in keys if key.startswith(TERM)]
    each = [Panel(f"Loss: {_spoken(key)}", ((key,),)) for key in terms]
    known = set(keys)
    return [
        panel
        for panel in (*BEFORE, *each, *AFTER)
        if any(known.intersection(names) for names in panel.curves)
    ]


def _spoken(key: str) -> str:
    return key.removeprefix(TERM).replace("_", " ")
