"""A patch optimised against a checkpoint (BadCLIP)."""

from shieldclip.adversary.patch.search import FoundPatch, find_patch
from shieldclip.adversary.patch.settings import PatchSettings

__all__ = ["FoundPatch", "PatchSettings", "find_patch"]
