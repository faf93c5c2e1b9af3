"""Wrong knowledge, as a control."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from shuffle_knowledge import shuffled

from shieldclip.knowledge.rows import KnowledgeRow


@given(st.integers(2, 60), st.integers(0, 5))
def test_every_text_has_the_elements_of_another(count, seed):
    rows = [KnowledgeRow(f"text {n}", (f"element {n}",), "test") for n in range(count)]
    wrong = shuffled(rows, seed)
    assert [row.text for row in wrong] == [row.text for row in rows]
    assert Counter(row.elements for row in wrong) == Counter(row.elements for row in rows)
    assert all(a.elements != b.elements for a, b in zip(rows, wrong, strict=True))
