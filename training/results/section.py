"""The generated part of RESULTS.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from results.attacked import OUTDATED, join
from results.stored import Run
from results.tables import tables, to_markdown
from results.verdict import DEFINITION, IMPLANTED

from shieldclip.drafts import write_text
from shieldclip.evaluation.figures import percent

BEGIN, END = "<!-- results: training -->", "<!-- /results -->"
INTRODUCTION = (
    "Figures are means over seeds; an interval reaches from the lowest to the highest end of the "
    "seeds' own 95 % intervals. ASR is that of the planted trigger on pictures of other classes, "
    "its control the larger of the same pictures without trigger and with an untrained one. "
    "RA is accuracy on triggered pictures, and beside it stands that of plain training on clean "
    "pairs: what a defence hides from a target may still spoil the picture. "
    "An attack tests a defence where the interval of plain training reaches "
    f"{percent(IMPLANTED)} %. *Time / plain* is processor time over that of plain "
    "training; runs that kept the wall clock only, beside other work, have none. "
    "What a step costs is measured by `benchmarks/train_step.py`. "
    f"{OUTDATED}: a run is of a former revision of its defence, and was not made again."
)


def render(experiments: Mapping[str, Sequence[Run]]) -> str:
    """Every experiment's tables, as Markdown."""
    sections = [INTRODUCTION, DEFINITION]
    for name, runs in experiments.items():
        sections.append(f"## {name}")
        sections += [to_markdown(table) for table in tables(join(runs))]
    return "\n\n".join(sections)


def update(path: Path, text: str) -> None:
    """Replace what stands between the marks, or start the file."""
    block = f"{BEGIN}\n\n{text}\n\n{END}\n"
    before = path.read_text(encoding="utf-8") if path.exists() else f"# Results\n\n{block}"
    after = re.sub(f"{BEGIN}.*?{END}\n", lambda _: block, before, flags=re.DOTALL)
    write_text(path, after)
