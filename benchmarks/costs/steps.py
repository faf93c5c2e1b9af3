"""What training steps cost, from the records of `train_step.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from costs.goals import Goal
from costs.numbers import ratio, significant
from costs.stored import Record, Records
from costs.tables import table

NAMES = ("train-step-icons", "train-step-vit-b-32")
PARTS = ("step", "elements", "losses", "local", "batch", "plan")
PAIRS, ELEMENTS = 256, 6
"""Of a batch and of a caption, for which there are goals."""
WANTED = {"otcclip": 1.5, "shield": 1.7}
"""Defence -> CLIP steps that one of its own may take."""
ENCODED = 0.15
"""CLIP steps that encoding a batch's elements may take."""
KNOWING = "semantic-shield"
"""A defence that encodes elements; all that do encode the same."""


@dataclass(frozen=True)
class Setting:
    """A model under every defence, at one share of image patches."""

    figures: Mapping[str, Any]
    """Of the record."""
    table: Mapping[str, Any]

    @property
    def place(self) -> tuple[str, str, str]:
        """Model, pairs of a batch and patches of a picture."""
        pairs, patches = self.figures["batch_size"], self.table["patches"]
        return str(self.figures["model"]), f"{pairs:,}", str(patches)

    @property
    def has_goals(self) -> bool:
        """Whether batches are those of the goals."""
        asked = self.figures["batch_size"], self.figures["elements_per_caption"]
        return asked == (PAIRS, ELEMENTS)

    def cost(self, defence: str, part: str = "step") -> float | None:
        """In CLIP steps; ``None`` where the defence was left out."""
        row = self.table["rows"].get(defence)
        return None if row is None else float(row[part])


def settings(records: Records) -> Iterator[Setting]:
    """All that were measured."""
    for name in NAMES:
        yield from _settings(records[name])


def _settings(record: Record) -> Iterator[Setting]:
    for costs in record.figures["tables"]:
        yield Setting(record.figures, costs)


def goals(records: Records) -> list[Goal]:
    """Of steps and of elements."""
    found = []
    for setting in filter(lambda setting: setting.has_goals, settings(records)):
        model, _, patches = setting.place
        where = f"{model}, {patches} patches"
        for name, most in WANTED.items():
            found.append(Goal(f"Step of {name} over CLIP's ({where})", setting.cost(name), most))
        encoded = setting.cost(KNOWING, "elements")
        found.append(Goal(f"Elements of a batch over CLIP's step ({where})", encoded, ENCODED))
    return found


def all_steps(records: Records) -> str:
    """A table for every model and share of patches."""
    sections = []
    for name in NAMES:
        sections.append(f"{records[name].origin}:")
        sections += [_table(setting) for setting in _settings(records[name])]
    return "\n\n".join(sections)


def _table(setting: Setting) -> str:
    model, pairs, patches = setting.place
    head = (
        f"{model}, {pairs} pairs, {patches} patches a picture, "
        f"{setting.table['unique_elements']:.0f} unique elements; a CLIP step takes "
        f"{significant(setting.table['clip_seconds'])} s."
    )
    rows = [
        (name, *(ratio(setting.cost(name, part)) for part in PARTS))
        for name in setting.table["rows"]
    ]
    return f"{head}\n\n{table(('Defence',), PARTS, rows)}"


def of_elements(records: Records) -> str:
    """What knowledge costs: its elements, and the steps that use them."""
    return _beside(
        records,
        {
            "Unique elements": lambda setting: f"{setting.table['unique_elements']:.0f}",
            "Elements": lambda setting: ratio(setting.cost(KNOWING, "elements")),
            **_steps("semantic-shield", "semantic-shield-plus"),
        },
    )


def of_matching(records: Records) -> str:
    """What optimal transport costs: losses, steps, and planning."""
    return _beside(
        records,
        {
            **_steps("otcclip", "shield"),
            "Losses, otcclip": lambda setting: ratio(setting.cost("otcclip", "losses")),
            "Plan, otcclip": lambda setting: ratio(setting.cost("otcclip", "plan")),
        },
    )


Shown = Callable[[Setting], str]


def _steps(*defences: str) -> dict[str, Shown]:
    def step(name: str) -> Shown:
        return lambda setting: ratio(setting.cost(name))

    return {f"Step, {name}": step(name) for name in defences}


def _beside(records: Records, columns: Mapping[str, Shown]) -> str:
    """A row for every model and share of patches."""
    rows = [
        (*setting.place, *(shown(setting) for shown in columns.values()))
        for setting in settings(records)
    ]
    origins = "; ".join(records[name].origin for name in NAMES)
    return f"{table(('Model', 'Pairs', 'Patches'), tuple(columns), rows)}\n\n{origins}."
