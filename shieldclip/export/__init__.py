"""Checkpoints of ours in the formats that other libraries load."""

from shieldclip.export.formats import FORMATS
from shieldclip.export.run import Exported, export

__all__ = ["FORMATS", "Exported", "export"]
