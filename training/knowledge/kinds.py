"""What icons of a kind show: rules read from ``kinds.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml
from knowledge.concepts import Concept
from pydantic import BaseModel, ConfigDict

RULES = Path(__file__).parent / "kinds.yaml"


class Rule(BaseModel):
    """Conditions, all of which must hold, and what then can be seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subgroup: str = ""
    keyword: str = ""
    without: str = ""
    name: str = ""
    but_not: str = ""
    attributes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def holds(self, concept: Concept) -> bool:
        """Whether the rule speaks of a concept."""
        return (
            self.subgroup in ("", concept.subgroup)
            and (not self.keyword or self.keyword in concept.keywords)
            and (not self.without or self.without not in concept.keywords)
            and re.search(self.name, concept.name) is not None
            and not (self.but_not and re.search(self.but_not, concept.name))
        )


@cache
def read_rules() -> tuple[Rule, ...]:
    """All rules, in the order of the file."""
    return tuple(map(Rule.model_validate, yaml.safe_load(RULES.read_text(encoding="utf-8"))))


def seen_by_kind(concept: Concept) -> Iterator[tuple[str, str]]:
    """Kind and element, for every rule that holds."""
    for rule in read_rules():
        if rule.holds(concept):
            yield from (("attribute", element) for element in rule.attributes)
            yield from (("part", element) for element in rule.parts)
            yield from (("category", element) for element in rule.categories)
