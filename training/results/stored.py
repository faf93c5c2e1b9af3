"""Runs on disk: an `EvalReport` and beside it the facts of the training that it measures.

training/reports/<experiment>/<recipe>__<attack>__<seed>.json.gz
training/reports/<experiment>/<recipe>__<attack>__<seed>.run.json

An attack at several rates has its rate in the name: <attack>@<rate>.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from shieldclip.drafts import drafted, write_text
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.report import EvalReport
from shieldclip.training.defences import DEFENCES

REPORT, FACTS = ".json.gz", ".run.json"
CLEAN = "clean"
"""The attack's name where the training data is not poisoned."""
PLAIN = "plain"
"""The recipe that others are compared with."""


@dataclass(frozen=True)
class RunFacts:
    """How a model was trained."""

    recipe: str
    attack: str
    """Name of the attack, or `CLEAN`."""
    poison_rate: float
    """Share of poisoned pairs, in ``[0, 1]``."""
    seed: int
    seconds: float
    """Training time, by the wall clock."""
    images: int
    """Images seen."""
    final: Mapping[str, float] = field(default_factory=dict)
    """The last line of the training log."""
    plans: Sequence[Mapping[str, float]] = field(default_factory=list)
    """What each epoch's plan did to the pairs, where a defence plans."""
    triggers: Sequence[str] = field(default_factory=list)
    """Ids of the triggers that were planted; by default the attack's name."""
    rate: float | None = None
    """Rate that was asked for, of an attack at several."""
    classes: int = 0
    """Classes that poisoned pictures are asked about: the random level of PSR is one in these."""
    defence: str = PLAIN
    """That the recipe names."""
    revision: int = 1
    """Of the defence, as it was then."""
    processor_seconds: float | None = None
    """Training time of all cores, where they trained; not kept by earlier runs."""

    @property
    def planted(self) -> tuple[str, ...]:
        """Ids of the triggers that were planted."""
        return tuple(self.triggers) or (self.attack,)

    @property
    def outdated(self) -> bool:
        """Whether the defence trains otherwise by now."""
        return self.revision < DEFENCES[self.defence].revision

    @property
    def stem(self) -> str:
        """File name without suffix."""
        return stem(self.recipe, self.attack, self.rate, self.seed)


@dataclass(frozen=True)
class Run:
    """A trained model, measured."""

    facts: RunFacts
    report: EvalReport


def stem(recipe: str, attack: str, rate: float | None, seed: int) -> str:
    """File name of a run, without suffix."""
    at = "" if rate is None else f"@{rate:g}"
    return f"{recipe}__{attack}{at}__{seed}"


def save_run(run: Run, folder: Path) -> Path:
    """Write a run into the folder of its experiment, equal bytes for equal runs.

    Returns:
        The path of the report.
    """
    path = folder / f"{run.facts.stem}{REPORT}"
    facts = json.dumps(asdict(run.facts), indent=1) + "\n"
    write_text(folder / f"{run.facts.stem}{FACTS}", facts)
    with drafted(path) as draft:
        draft.write_bytes(gzip.compress(run.report.to_json().encode(), mtime=0))
    return path


def load_experiments(root: Path) -> dict[str, list[Run]]:
    """Every experiment's runs by its name, that of the most runs first.

    Raises:
        ShieldCLIPError: a report without facts, facts that are incomplete or of another run, or
            a report of several models.
    """
    folders = sorted(path for path in root.glob("*") if path.is_dir())
    found = {
        folder.name: [load_run(path) for path in sorted(folder.glob(f"*{REPORT}"))]
        for folder in folders
    }
    by_size = sorted(found.items(), key=lambda item: -len(item[1]))
    return {name: runs for name, runs in by_size if runs}


def load_run(path: Path) -> Run:
    """Read a run by the path of its report."""
    facts = load_facts(path)
    if path.name != facts.stem + REPORT:
        raise ShieldCLIPError(
            f"Expected the facts of {path.name}, got those of {facts.stem}; rename the files."
        )
    report = EvalReport.from_json(gzip.decompress(path.read_bytes()).decode())
    if len(report.models) != 1:
        raise ShieldCLIPError(
            f"Expected a report of one model in {path}, got {len(report.models)}; "
            "evaluate each run on its own."
        )
    return Run(facts, report)


def load_facts(report: Path) -> RunFacts:
    """Read the facts beside a report.

    Raises:
        ShieldCLIPError: there are none, or they are incomplete.
    """
    path = report.with_name(report.name.removesuffix(REPORT) + FACTS)
    try:
        return RunFacts(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        known = ", ".join(f.name for f in fields(RunFacts))
        raise ShieldCLIPError(
            f"Expected the facts of a run ({known}) in {path}, but {error}."
        ) from error
