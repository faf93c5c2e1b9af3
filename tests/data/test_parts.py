"""Parts of a data set: every picture in one, wherever it comes again."""

from __future__ import annotations

import datasets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shieldclip.data.parts import Part
from shieldclip.errors import ShieldCLIPError


def pictures(contents: list[bytes]) -> datasets.Dataset:
    """Rows whose pictures are just these bytes."""
    cells = [{"bytes": content, "path": None} for content in contents]
    features = datasets.Features({"image": datasets.Image(decode=False)})
    return datasets.Dataset.from_dict({"image": cells}, features=features)


PICTURES = st.lists(st.binary(min_size=1, max_size=4), min_size=40, max_size=80, unique=True)


@given(PICTURES, st.integers(2, 4), st.randoms())
def test_parts_hold_every_picture_once_in_any_order(contents, count, random):
    contents = contents + contents[:7]  # equal pictures, far apart
    shuffled = random.sample(contents, len(contents))
    seen = []
    for number in range(1, count + 1):
        part = Part(number, count)
        rows, again = part.of_rows(pictures(contents)), part.of_rows(pictures(shuffled))
        assert {contents[row] for row in rows} == {shuffled[row] for row in again}
        seen += rows.tolist()
    assert sorted(seen) == list(range(len(contents)))


def test_parts_are_of_nearly_equal_size():
    rows = pictures([f"picture {n}".encode() for n in range(3000)])
    sizes = np.array([len(Part(number, 3).of_rows(rows)) for number in (1, 2, 3)])
    assert (abs(sizes - 1000) < 100).all()


def test_a_picture_on_disk_counts_by_its_content(tmp_path):
    contents = [f"picture {n}".encode() for n in range(20)]
    for n, content in enumerate(contents):
        (tmp_path / f"{n}.png").write_bytes(content)
    on_disk = datasets.Dataset.from_dict(
        {"image": [{"bytes": None, "path": str(tmp_path / f"{n}.png")} for n in range(20)]}
    )
    part = Part(1, 2)
    assert part.of_rows(on_disk).tolist() == part.of_rows(pictures(contents)).tolist()


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/1", "-1/2", "a/b", "1/2/3"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(ShieldCLIPError, match="such as 1/2"):
        Part.read(text)


def test_a_part_without_pictures_is_an_error():
    with pytest.raises(ShieldCLIPError, match="fewer parts"):
        Part(1, 2).of_rows(pictures([b"one"]))
        Part(2, 2).of_rows(pictures([b"one"]))
