"""From an entry of a suite and its data to protocols ready to run.

Everything that can be wrong with names (target, trigger, suite, data) comes out here, before a
model is asked anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from shieldclip.attacks.manifest import Manifest
from shieldclip.attacks.texts import make_text_trigger
from shieldclip.attacks.triggers import make_trigger
from shieldclip.data.source import Source
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.naming import captions_of, class_index, different_pictures, pictures_of
from shieldclip.evaluation.passes import Attack
from shieldclip.evaluation.protocols.base import Protocol
from shieldclip.evaluation.protocols.linear_probe import LinearProbe
from shieldclip.evaluation.protocols.retrieval import Retrieval
from shieldclip.evaluation.protocols.targeted import Targeted
from shieldclip.evaluation.protocols.text_triggers import TextTriggers
from shieldclip.evaluation.protocols.zero_shot import ZeroShot
from shieldclip.evaluation.suite import Entry, ProtocolName

ALL = "all"


@dataclass(frozen=True)
class Materials:
    """What a protocol is made from."""

    entry: Entry
    source: Source
    train: Source | None
    manifest: Manifest | None
    seed: int


@dataclass(frozen=True)
class Plan:
    """An entry ready to run."""

    source: Source
    train: Source | None
    protocols: dict[str, Protocol]
    notes: tuple[str, ...]
    """Protocols that this data cannot serve, and how targets were chosen."""


class UnsuitedError(ShieldCLIPError):
    """The data lacks what a protocol needs; another protocol may still run."""


def plan_entry(materials: Materials) -> Plan:
    """Makes the protocols of an entry.

    Raises:
        ShieldCLIPError: an unknown name, or no protocol that the data can serve.
    """
    protocols: dict[str, Protocol] = {}
    notes: list[str] = []
    for name in materials.entry.protocols:
        try:
            protocols[name] = PROTOCOLS[name](materials)
        except UnsuitedError as reason:
            notes.append(f"{name} was left out on {materials.source.name}: {reason}")
    if not protocols:
        raise ShieldCLIPError(" ".join(notes))
    return Plan(materials.source, materials.train, protocols, (*notes, *_remarks(materials)))


def _remarks(materials: Materials) -> Iterator[str]:
    entry, source = materials.entry, materials.source
    if entry.target == ALL and entry.triggers and "zero-shot" in entry.protocols:
        yield (
            f"Every class of {source.name} was tried as target; of each trigger the worst is "
            f"shown, with intervals corrected for {len(source.classes)} classes (Bonferroni)."
        )
    if entry.target == ALL and entry.triggers and "retrieval" in entry.protocols:
        yield "Attacks on retrieval were left out: they need one target, not all."


def _zero_shot(materials: Materials) -> ZeroShot:
    entry, source = materials.entry, materials.source
    _need_classes(source)
    attacks = _attacks(materials)
    target = None
    if attacks and entry.target != ALL:
        target = class_index(source.classes, _one_target(entry))
        pictures_of(source, source.classes[target])
    return ZeroShot(source.classes, source.templates, attacks, target)


def _retrieval(materials: Materials) -> Retrieval:
    entry, source = materials.entry, materials.source
    if not source.captions:
        raise UnsuitedError("it needs captions; name their column with --caption-column.")
    for name in (name for pair in entry.pairs for name in pair):
        captions_of(source, name)
    if not entry.triggers or entry.target == ALL:
        return Retrieval((), "", entry.pairs, materials.seed)
    target = _one_target(entry)
    captions_of(source, target)
    return Retrieval(_attacks(materials), target, entry.pairs, materials.seed)


def _linear_probe(materials: Materials) -> LinearProbe:
    _need_classes(materials.source)
    if materials.train is None:
        raise UnsuitedError("it needs training data; name it under `train` in the suite.")
    if materials.train.classes != materials.source.classes:
        raise ShieldCLIPError(
            f"Expected the same classes in both splits of the linear probe, but those of "
            f"{materials.train.source!r} and {materials.source.source!r} differ."
        )
    return LinearProbe(materials.train.fingerprint)


def _targeted(materials: Materials) -> Targeted:
    source, manifest = materials.source, materials.manifest
    if not source.classes:
        raise UnsuitedError("it needs class names; name them with --classes.")
    if manifest is None:
        raise UnsuitedError("it needs the manifest of the poisons; pass it with --manifest.")
    targets = {entry.row: entry.target for entry in manifest.entries}
    if max(targets, default=0) >= len(source.rows):
        raise ShieldCLIPError(
            f"Expected the manifest of {source.source!r} with its {len(source.rows)} rows, got "
            f"one with row {max(targets)}; pass the data set that was written with it."
        )
    wanted = {
        row: class_index(source.classes, targets[row])
        for row in different_pictures(source, sorted(targets))
    }
    return Targeted(source.classes, source.templates, wanted)


def _text_captions(materials: Materials) -> TextTriggers:
    if not materials.source.captions:
        raise UnsuitedError("it needs captions; name their column with --caption-column.")
    return _text_triggers(materials, "captions")


def _text_prompts(materials: Materials) -> TextTriggers:
    _need_classes(materials.source)
    return _text_triggers(materials, "prompts")


def _text_triggers(materials: Materials, queries: Literal["captions", "prompts"]) -> TextTriggers:
    entry, source = materials.entry, materials.source
    target = _one_target(entry)
    pictures_of(source, target)
    triggers = tuple(make_text_trigger(name, seed=materials.seed) for name in entry.text_triggers)
    return TextTriggers(queries, triggers, target, source.templates, materials.seed)


def _attacks(materials: Materials) -> tuple[Attack, ...]:
    triggers = {name: make_trigger(name, seed=materials.seed) for name in materials.entry.triggers}
    return tuple(Attack(name, trigger, trigger.control()) for name, trigger in triggers.items())


def _need_classes(source: Source) -> None:
    if not source.classes or not source.labels:
        raise UnsuitedError("it needs labels and class names; see --label-column and --classes.")


def _one_target(entry: Entry) -> str:
    if entry.target is None or entry.target == ALL:
        raise UnsuitedError("it needs one target; name it with --target NAME.")
    return entry.target


PROTOCOLS: dict[ProtocolName, Callable[[Materials], Protocol]] = {
    "zero-shot": _zero_shot,
    "retrieval": _retrieval,
    "linear-probe": _linear_probe,
    "targeted": _targeted,
    "text-captions": _text_captions,
    "text-prompts": _text_prompts,
}
