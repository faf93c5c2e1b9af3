"""Names that a shell completes.

They stand here once more because the registries they belong to import torch, and a completion that
takes seconds is none. Tests compare them with the registries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

TRIGGERS = (
    "badnet", "badnet-noise", "badnet-white", "badnet-stripes", "badnet-corner", "blended-noise",
    "blended-stripes", "blended-triangles", "blended-text", "blended-image:", "sig", "sig-40",
    "wanet", "wanet-dense", "bpp", "bpp-dither", "filter-nashville", "badclip:", "file:",
)  # fmt: skip
"""Image triggers, with a colon where a path follows."""
FORMATS = ("transformers", "open-clip", "onnx")
KNOWLEDGE = ("embedded:icons", "embedded:icons-smollm2")
KNOWLEDGE_SOURCES = ("lm", "server", "wordnet", "file")

_PACKAGE = Path(__file__).parents[1]
_CLONE = _PACKAGE.parent

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def models() -> list[str]:
    """Shipped checkpoints, ``shieldclip:NAME``."""
    return [f"shieldclip:{record.parent.name}" for record in _PACKAGE.glob("zoo/*/zoo.json")]


def recipes() -> list[str]:
    """Shipped recipes, of an installed package or a clone."""
    return _stems(_PACKAGE / "recipes", _CLONE / "training" / "recipes")


def suites() -> list[str]:
    """Shipped suites, of an installed package or a clone."""
    return _stems(_PACKAGE / "suites", _CLONE / "eval")


def _stems(*folders: Path) -> list[str]:
    return [path.stem for folder in folders for path in folder.glob("*.yaml")]


def _completing(names: Callable[[], Iterable[str]]) -> Complete:
    """Offers the names that fit; where none does, the shell offers files."""

    def complete(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
        fitting = [CompletionItem(name) for name in sorted(names()) if name.startswith(typed)]
        return fitting or [CompletionItem(typed, type="file")]

    return complete


complete_model = _completing(models)
complete_recipe = _completing(recipes)
complete_suite = _completing(suites)
complete_trigger = _completing(lambda: TRIGGERS)
complete_format = _completing(lambda: FORMATS)
complete_knowledge = _completing(lambda: KNOWLEDGE)
complete_knowledge_source = _completing(lambda: KNOWLEDGE_SOURCES)
