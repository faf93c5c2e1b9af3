"""What a caller asks for, and the suite that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shieldclip.evaluation.suite import DataSpec, Entry, ProtocolName, Suite


@dataclass(frozen=True)
class EvalRequest:
    """What to measure. Every field but ``models`` has a default that works."""

    models: tuple[str, ...]
    """Specifications that `load_encoder` understands."""
    suite: str = "quick"
    """Name of a shipped suite, or a YAML file."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Fields of `DataSpec` that replace those of the suite; a new ``source`` replaces all."""
    target: str | None = None
    """Replaces the suite's target; ``all`` tries every class."""
    triggers: tuple[str, ...] = ()
    """Replace the suite's triggers, on pictures and on texts."""
    manifest: Path | None = None
    """Poisons of the data; adds the protocol ``targeted``, unless the suite has it somewhere."""
    out: Path | None = None
    """Folder that keeps finished cells; ``None`` keeps nothing."""
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int | None = None
    """``None`` finds one."""
    seed: int = 0
    verify: bool = False
    """Refuse weights whose fingerprint is not in their card."""


def tailor(suite: Suite, request: EvalRequest) -> Suite:
    """The suite with the request's own data, target, triggers and manifest in it.

    Entries that differed in their data only become one.
    """
    added: dict[ProtocolName, None] = {}
    if request.manifest is not None and not _asks_about_poisons(suite):
        added["targeted"] = None
    entries = dict.fromkeys(_tailor_entry(entry, request, added) for entry in suite.entries)
    return suite.model_copy(update={"entries": tuple(entries)})


def _asks_about_poisons(suite: Suite) -> bool:
    return any("targeted" in entry.protocols for entry in suite.entries)


def _tailor_entry(entry: Entry, request: EvalRequest, added: Mapping[ProtocolName, None]) -> Entry:
    changes: dict[str, object] = {}
    if "source" in request.data:
        changes |= {"data": DataSpec(**request.data), "train": None}
    elif request.data:
        changes["data"] = entry.data.model_copy(update=dict(request.data))
    if request.target is not None:
        changes["target"] = request.target
    protocols: dict[ProtocolName, None] = {**dict.fromkeys(entry.protocols), **added}
    if request.triggers:
        in_texts = tuple(name for name in request.triggers if name.startswith("text-"))
        changes["text_triggers"] = in_texts
        changes["triggers"] = tuple(name for name in request.triggers if name not in in_texts)
        if in_texts:
            protocols |= {"text-captions": None, "text-prompts": None}
    return entry.model_copy(update={**changes, "protocols": tuple(protocols)})
