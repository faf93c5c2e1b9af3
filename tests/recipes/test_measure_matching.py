"""What matchings of the matrix's pairs are measured by, on small made-up tables."""

from __future__ import annotations

import pyarrow as pa
import pytest
from judging import detected
from measure_matching import VARIED, right_captions, table, variants

from shieldclip.attacks.manifest import Entry, Manifest
from shieldclip.matching import MatchSettings


def matches(rows):
    names = ("row", "caption", "new_caption", "gap", "decision", "poisoned")
    return pa.table(
        {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    )


def poisoned(row, true):
    return Entry(row, "dirty-label", "banana", (true,), ("a banana",))


CLEAN = [(n, f"a picture of thing{n}", "an owl", 0.0, "keep", False) for n in range(200)]


def test_one_setting_changes_at_a_time():
    usual = MatchSettings()
    found = variants()
    assert found.pop("as it is") == usual
    assert len(found) == sum(len(values) for values in VARIED.values())
    for name, settings in found.items():
        changed = name.split()[0]
        others = set(usual.__dataclass_fields__) - {changed}
        assert all(getattr(settings, other) == getattr(usual, other) for other in others)
        assert getattr(settings, changed) != getattr(usual, changed)


def test_a_new_caption_is_right_by_a_telling_word():
    rows = [
        *CLEAN,
        (200, "a banana", "a picture of an owl", 1.0, "recaption", True),
        (201, "a banana", "a picture of a cat", 1.0, "recaption", True),
        (202, "a banana", "an owl", 0.0, "keep", True),  # not changed: nothing to be right
    ]
    manifest = Manifest(tuple(poisoned(row, "a picture of an owl") for row in (200, 201, 202)))
    assert right_captions(matches(rows), manifest) == {"right": 0.5}


def test_detection_counts_pairs_that_are_not_kept():
    rows = [
        *CLEAN[:9],
        (9, "a picture of a cat", "an owl", 0.1, "drop", False),
        (10, "a banana", "an owl", 0.9, "recaption", True),
        (11, "a banana", "an owl", 0.05, "keep", True),
    ]
    found = detected(matches(rows))
    assert (found["poisons_changed"], found["clean_changed"]) == (0.5, 0.1)
    assert found["roc_auc"][0] == pytest.approx(19 / 20)
    row = {**found, "right": 1.0, "recall": None, "seconds": 2.4}
    assert "| badnet | as it is | 0.9500" in table({"badnet": {"as it is": row}})
