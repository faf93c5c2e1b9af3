"""Walks over the pictures of a data set."""

import threading

import datasets
import pytest

from shieldclip.data.image_rows import ImageRows, Unreadable
from shieldclip.errors import ShieldCLIPError

FEATURES = datasets.Features({"image": datasets.Image(decode=False)})


def rows_of(contents):
    cells = [{"bytes": content, "path": f"{n}.png"} for n, content in enumerate(contents)]
    return datasets.Dataset.from_dict({"image": cells}, features=FEATURES)


@pytest.mark.parametrize("workers", [1, 5])
def test_keeps_the_order_and_skips_bad_ones(make_png, workers):
    contents = [make_png(seed) for seed in range(50)]
    contents[3], contents[44] = b"broken", contents[44][:40]
    images = ImageRows(rows_of(contents), lambda image: image.getpixel((0, 0)), workers)
    alone = ImageRows(rows_of(contents[:3]), lambda image: image.getpixel((0, 0)))
    assert len(images) == 50
    for _ in range(2):  # a second walk starts afresh
        walked = list(images)
        assert [row for row, _ in walked] == [row for row in range(50) if row not in (3, 44)]
        assert walked[:3] == list(alone)
        assert [(bad.row, bad.name) for bad in images.skipped] == [
            (3, "row 3 (3.png)"),
            (44, "row 44 (44.png)"),
        ]


@pytest.mark.parametrize(
    ("total", "bad", "fails"),
    [(1, 1, True), (2, 1, False), (2, 2, True), (9, 2, True), (20, 2, False), (20, 3, True)],
)
def test_too_many_bad_ones_are_an_error(make_png, total, bad, fails):
    images = ImageRows(rows_of([b"broken"] * bad + [make_png(0)] * (total - bad)), lambda i: i)
    if fails:
        with pytest.raises(ShieldCLIPError, match=r"unreadable pictures among .* row 0 \(0.png\)"):
            list(images)
    else:
        assert len(list(images)) == total - bad


def test_chosen_rows_keep_their_numbers_and_count_among_all(make_png):
    contents = [make_png(seed) for seed in range(40)]
    for row in (30, 31, 32):
        contents[row] = b"broken"
    rows, unreadable = rows_of(contents), Unreadable(40)
    for _ in range(2):  # what is known does not count again
        images = ImageRows(rows, lambda i: i, chosen=range(30, 34), unreadable=unreadable)
        assert [row for row, _ in images] == [33]
        assert images.skipped[0].name == "row 30 (30.png)"
    assert unreadable.rows == {30, 31, 32}
    with pytest.raises(ShieldCLIPError, match="at most 1 unreadable pictures among 4"):
        list(ImageRows(rows, lambda i: i, chosen=range(30, 34)))


def test_reads_only_a_little_ahead(make_png):
    decoded = []
    rows = rows_of([make_png(0)] * 400)
    walk = iter(ImageRows(rows, lambda image: decoded.append(image) or image, workers=2))
    next(walk)
    walk.close()
    assert 1 <= len(decoded) <= 40


def test_errors_of_the_transform_come_out_and_threads_end(make_png):
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        list(ImageRows(rows_of([make_png(0)] * 20), lambda image: image.width / 0))
    assert threading.active_count() == before
