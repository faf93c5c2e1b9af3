"""Data: source strings -> rows of pictures with labels or captions."""

from shieldclip.data.opening import open_source
from shieldclip.data.source import Source

__all__ = ["Source", "open_source"]
