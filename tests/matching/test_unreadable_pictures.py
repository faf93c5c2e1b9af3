"""`match` where some pictures cannot be read."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matching_parts import SyntheticEncoder, columns, write_pairs

from shieldclip.data import Source, image_rows, open_source
from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import MatchSettings, cache, match
from shieldclip.matching.shards import Worker

pytestmark = pytest.mark.usefixtures("small_shards")


def write_spoiled(folder: Path, rows: Collection[int]) -> Source:
    """Sixty pairs, of which some pictures cannot be read."""
    write_pairs(folder / "whole.parquet")
    table = pq.read_table(folder / "whole.parquet")
    cells = table["image"].to_pylist()
    for row in rows:
        cells[row]["bytes"] = b"no picture"
    place = table.column_names.index("image")
    table = table.set_column(
        place, table.field("image"), pa.array(cells, table.field("image").type)
    )
    pq.write_table(table, folder / "pairs.parquet")
    return open_source(str(folder / "pairs.parquet"))


def test_unreadable_pictures_are_dropped_and_counted(tmp_path):
    out = tmp_path / "out"
    summary = match(write_spoiled(tmp_path, [7]), SyntheticEncoder(), out)
    own, risk, decision = columns(out, "own_distance", "risk", "decision")
    assert (own[7], risk[7], decision[7]) == (None, None, "drop")
    assert (summary.unreadable, summary.distrusted, summary.rows_left) == (1, 0, 59)
    assert None not in own[:7] + own[8:]


def test_a_shard_may_be_unreadable_where_the_data_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "ROWS_PER_SHARD", 5)
    source, out = write_spoiled(tmp_path, [*range(5), 20]), tmp_path / "out"
    settings = MatchSettings(candidates=8, centring=1.0)
    summary = match(source, SyntheticEncoder(), out, settings)
    (risk,) = columns(out, "risk")
    assert [row for row in range(60) if risk[row] is None] == [*range(5), 20]
    assert 0 <= summary.recall <= 1
    assert summary.rows_left == 54


def test_too_many_unreadable_pictures_are_counted_over_shards_and_rows_are_those_of_the_data(
    tmp_path, monkeypatch
):
    source = write_spoiled(tmp_path, range(5, 60, 8))
    error = "at most 6 unreadable pictures among 60, found more; the first is row 5:"
    with pytest.raises(ShieldCLIPError, match=error):
        match(source, SyntheticEncoder(), tmp_path / "out")
    with monkeypatch.context() as patched:
        patched.setattr(image_rows, "MAX_BAD_SHARE", 0.5)
        match(source, SyntheticEncoder(), tmp_path / "done")
    with pytest.raises(ShieldCLIPError, match=error):
        match(source, SyntheticEncoder(), tmp_path / "done", resume=True)


def test_unreadable_pictures_are_counted_over_processes(tmp_path):
    source, shared = write_spoiled(tmp_path, range(5, 60, 8)), tmp_path / "shared"
    rest = (source, SyntheticEncoder(), shared)
    other = threading.Thread(target=match, args=rest, kwargs={"worker": Worker(1, 2)})
    other.start()
    with pytest.raises(ShieldCLIPError, match="at most 6 unreadable pictures among 60"):
        match(*rest, worker=Worker(0, 2))
    other.join(60)
