"""The README's one result table."""

from __future__ import annotations

import re
from pathlib import Path

from zoo.shares import percent

from shieldclip.evaluation.report import EvalReport

BEGIN, END = "<!-- results: zoo-quick -->", "<!-- /results -->"
TRIGGERS = ("badnet", "blended-noise", "wanet")


def result_table(report: EvalReport) -> str:
    """Accuracy, attack success and accuracy under attack of every model, as Markdown."""
    success = " | ".join(f"ASR `{name}`" for name in TRIGGERS)
    lines = [
        f"| checkpoint | top-1 | {success} | control | RA `{TRIGGERS[0]}` |",
        "|---" * (len(TRIGGERS) + 4) + "|",
    ]
    for model in report.models:
        asr = [report.select("asr", model=model.name, trigger=name)[0] for name in TRIGGERS]
        control, robust = (
            report.select(metric, model=model.name, trigger=TRIGGERS[0])[0]
            for metric in ("control", "ra")
        )
        cells = [report.select("ca@1", model=model.name)[0], *asr, control, robust]
        lines.append(f"| `{model.name}` | " + " | ".join(map(percent, cells)) + " |")
    n = asr[0].n
    lines += [
        "",
        f"95 % intervals; ASR towards {asr[0].target!r}, and RA, the share of triggered pictures "
        f"that keep their class, on {n} pictures of other classes.",
    ]
    return "\n".join(lines)


def update_readme(path: Path, report: EvalReport) -> None:
    """Replace the table between the marks."""
    text = path.read_text(encoding="utf-8")
    block = f"{BEGIN}\n{result_table(report)}\n{END}"
    updated = re.sub(f"{BEGIN}.*?{END}", lambda _: block, text, flags=re.DOTALL)
    path.write_text(updated, encoding="utf-8")
