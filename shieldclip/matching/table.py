"""The table of a matching, and its columns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from shieldclip.drafts import drafted
from shieldclip.errors import ShieldCLIPError

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),  # of the source
        ("caption", pa.string()),
        ("own_distance", pa.float32()),  # of the picture to this caption
        ("new_caption", pa.string()),  # nearest of the pool, or the own one if that is as near
        ("best_distance", pa.float32()),
        ("gap", pa.float32()),  # own - best, at least 0
        ("risk", pa.float64()),  # posterior of the suspicious component
        ("decision", pa.string()),  # keep, recaption or drop
    ]
)
"""Of a picture that cannot be read, only row, caption and decision are given."""
POISONED = pa.field("poisoned", pa.bool_())
"""Added where a manifest says which rows are poisoned."""


def save_table(table: pa.Table, path: Path) -> None:
    """Write parquet, whole or not at all."""
    with drafted(path) as draft:
        pq.write_table(table, draft)


def load_table(path: Path) -> pa.Table:
    """Read a table of `save_table`.

    Raises:
        ShieldCLIPError: no such file, or not such a table.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise ShieldCLIPError(
            f"Expected a table of matches at {str(path)!r}, got: {str(error).splitlines()[0]}; "
            "`shieldclip match` writes one."
        ) from error
    if not set(SCHEMA.names) <= set(table.column_names):
        raise ShieldCLIPError(
            f"Expected the columns {', '.join(SCHEMA.names)} in {str(path)!r}, got "
            f"{', '.join(table.column_names)}; pass matches.parquet of `shieldclip match`."
        )
    return table
