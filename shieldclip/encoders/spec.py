"""The string that names a checkpoint, read into one of five cases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from shieldclip.errors import ShieldCLIPError

FORMS = (
    "org/name[@revision], a folder, shieldclip:NAME, open_clip:ARCH/TAG, hf-hub:org/name, "
    "local-dir:FOLDER or state-dict:ARCH:FILE"
)
_HUB_ID = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True)
class ZooSpec:
    """``shieldclip:NAME``: a checkpoint shipped with this package."""

    name: str


@dataclass(frozen=True)
class FolderSpec:
    """A folder of transformers or open_clip, or ``local-dir:FOLDER`` (open_clip)."""

    path: Path
    library: str | None = None
    """``open_clip`` when the prefix asks for it, ``None`` to let the folder decide."""


@dataclass(frozen=True)
class HubSpec:
    """``org/name[@revision]`` on the Hugging Face Hub, or ``hf-hub:org/name`` (open_clip)."""

    repo: str
    revision: str | None = None
    library: str | None = None
    """``open_clip`` when the prefix asks for it, ``None`` to let the repository decide."""


@dataclass(frozen=True)
class TagSpec:
    """``open_clip:ARCH/TAG``: a pretrained tag that open_clip knows."""

    arch: str
    tag: str


@dataclass(frozen=True)
class StateDictSpec:
    """``state-dict:ARCH:FILE``: bare weights of an open_clip architecture."""

    arch: str
    path: Path


Spec = ZooSpec | FolderSpec | HubSpec | TagSpec | StateDictSpec


def parse_spec(spec: str) -> Spec:
    """Read a checkpoint's name; an existing folder wins over a Hub id.

    Raises:
        ShieldCLIPError: none of the known forms, or a folder or file that does not exist.
    """
    prefix, _, rest = spec.partition(":")
    if prefix == "shieldclip":
        return ZooSpec(rest)
    if prefix == "open_clip":
        return _tag(spec, rest)
    if prefix == "state-dict":
        return _state_dict(spec, rest)
    if prefix == "local-dir":
        return FolderSpec(_existing_folder(rest), "open_clip")
    if prefix == "hf-hub":
        return _hub(spec, rest, "open_clip")
    if spec and Path(spec).expanduser().exists():
        return FolderSpec(_existing_folder(spec))
    return _hub(spec, spec, None)


def _tag(spec: str, rest: str) -> TagSpec:
    arch, slash, tag = rest.partition("/")
    if not (arch and slash and tag):
        raise ShieldCLIPError(
            f"Expected open_clip:ARCH/TAG, e.g. open_clip:ViT-B-32/laion2b_s34b_b79k, got {spec!r}."
        )
    return TagSpec(arch, tag)


def _state_dict(spec: str, rest: str) -> StateDictSpec:
    arch, _, path = rest.partition(":")
    if not (arch and path):
        raise ShieldCLIPError(
            "Expected state-dict:ARCH:FILE with an open_clip architecture, "
            f"e.g. state-dict:RN50-quickgelu:epoch_64.pt, got {spec!r}."
        )
    file = Path(path).expanduser()
    if not file.is_file():
        raise ShieldCLIPError(f"No weights file at {path!r}; check the path in {spec!r}.")
    return StateDictSpec(arch, file)


def _existing_folder(text: str) -> Path:
    path = Path(text).expanduser()
    if path.is_file():
        raise ShieldCLIPError(
            f"{text!r} is a file, which names no architecture: write state-dict:ARCH:{text}."
        )
    if not text or not path.is_dir():
        raise ShieldCLIPError(f"No folder at {text!r}; check the path.")
    return path


def _hub(spec: str, rest: str, library: str | None) -> HubSpec:
    match = _HUB_ID.fullmatch(rest)
    if match is None or rest.startswith("."):
        raise ShieldCLIPError(
            f"No folder at {spec!r}, and it is not a checkpoint's name; expected {FORMS}."
        )
    return HubSpec(match["repo"], match["revision"], library)
