"""Many checkpoints side by side, over the reports that measured them on the same data."""

from shieldclip.evaluation.leaderboard.entries import Entry, gather
from shieldclip.evaluation.leaderboard.page import to_html
from shieldclip.evaluation.leaderboard.table import in_short, to_table

__all__ = ["Entry", "gather", "in_short", "to_html", "to_table"]
