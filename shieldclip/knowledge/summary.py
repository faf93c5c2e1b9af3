"""How good a table of knowledge looks from outside: counts, no judgement of truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shieldclip.knowledge.parsing import Answer


@dataclass(frozen=True)
class Summary:
    """Quality of the answers of one source."""

    texts: int
    texts_without: int
    """Texts that have no element."""
    elements: int
    """Pairs of text and element."""
    unique: int
    """Different elements."""
    shared: int
    """Pairs whose element another text has too."""
    rejected: dict[str, int]
    """Phrases left out, by reason."""

    @classmethod
    def of_elements(cls, elements: Iterable[tuple[str, ...]]) -> Summary:
        """Counts over finished rows, of which nothing was left out."""
        return summarise([Answer(found) for found in elements])

    @property
    def elements_per_text(self) -> float:
        """Mean number of elements of a text."""
        return self.elements / max(1, self.texts)

    @property
    def share_shared(self) -> float:
        """Share of elements, counted per text, that another text has too, in [0, 1]."""
        return self.shared / max(1, self.elements)

    @property
    def share_rejected(self) -> float:
        """Share of all phrases that were left out, in [0, 1]."""
        rejected = sum(self.rejected.values())
        return rejected / max(1, rejected + self.elements)

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.rejected.items())
        rejected = f"; {self.share_rejected:.0%} of phrases rejected ({reasons})" if reasons else ""
        return (
            f"{self.texts} texts, {self.texts_without} without elements; "
            f"{self.elements_per_text:.1f} elements a text, {self.unique} different ones, "
            f"{self.share_shared:.0%} shared between texts{rejected}."
        )


def summarise(answers: Sequence[Answer]) -> Summary:
    """Count what became of all texts."""
    counts = Counter(element for answer in answers for element in answer.elements)
    reasons = Counter(reason for answer in answers for _, reason in answer.rejected)
    return Summary(
        texts=len(answers),
        texts_without=sum(not answer.elements for answer in answers),
        elements=counts.total(),
        unique=len(counts),
        shared=sum(count for count in counts.values() if count > 1),
        rejected=dict(reasons.most_common()),
    )
