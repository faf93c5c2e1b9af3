from __future__ import annotations

import pytest

from shieldclip.matching import cache


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few pictures and captions make several shards."""
    monkeypatch.setattr(cache, "ROWS_PER_SHARD", 16)
    monkeypatch.setattr(cache, "TEXTS_PER_SHARD", 10)
