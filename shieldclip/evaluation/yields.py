"""The figures that a suite can yield, told before any data are opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shieldclip.attacks.texts import make_text_trigger
from shieldclip.attacks.triggers import make_trigger
from shieldclip.evaluation.attack_rows import ATTACKED
from shieldclip.evaluation.protocols import hits, targeted
from shieldclip.evaluation.suite import Entry, ProtocolName, Suite

_RANKS = tuple(f"{name}{kind}" for name in ("min_rank", "median_rank") for kind in ("", "_random"))
_HITS = (*(f"hit@{k}{kind}" for k in hits.LEVELS for kind in ("", "_random")), *_RANKS)
_CONTROLS = tuple(f"hit@{k}_{of}" for k in hits.LEVELS for of in ("control", "control_trigger"))


def figure_name(metric: str, trigger: str | None) -> str:
    """``metric``, or ``metric/trigger``."""
    return "/".join(filter(None, (metric, trigger)))


def figures_of(suite: Suite) -> frozenset[str]:
    """Names of all figures, as `figure_name` writes them; data that lack something yield fewer.

    Raises:
        ShieldCLIPError: an unknown trigger.
    """
    return frozenset(
        name
        for entry in suite.entries
        for protocol in entry.protocols
        for name in _YIELDS[protocol](entry)
    )


def _zero_shot(entry: Entry) -> Iterator[str]:
    yield from ("ca@1", "ca@5")
    yield from _under(_image_triggers(entry), ATTACKED)


def _retrieval(entry: Entry) -> Iterator[str]:
    yield from (f"r@{k}_{way}" for way in ("i2t", "t2i") for k in hits.LEVELS)
    if entry.pairs:
        yield from _HITS
    yield from _under(_image_triggers(entry), (*_HITS, *_CONTROLS))


def _linear_probe(_entry: Entry) -> Iterator[str]:
    yield "probe"


def _targeted(_entry: Entry) -> Iterator[str]:
    yield from targeted.LEVELS.values()


def _text_triggers(entry: Entry) -> Iterator[str]:
    triggers = [make_text_trigger(name).id for name in entry.text_triggers]
    yield from _under(triggers, (*_HITS, *_CONTROLS))


def _image_triggers(entry: Entry) -> list[str]:
    for name in entry.triggers:
        make_trigger(name)
    return list(entry.triggers)


def _under(triggers: Iterable[str], metrics: Iterable[str]) -> Iterator[str]:
    metrics = tuple(metrics)
    return (figure_name(metric, trigger) for trigger in triggers for metric in metrics)


_YIELDS: dict[ProtocolName, Callable[[Entry], Iterator[str]]] = {
    "zero-shot": _zero_shot,
    "retrieval": _retrieval,
    "linear-probe": _linear_probe,
    "targeted": _targeted,
    "text-captions": _text_triggers,
    "text-prompts": _text_triggers,
}
