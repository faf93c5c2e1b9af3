"""Matching: which captions fit their pictures, which other would, and whom to distrust."""

from shieldclip.matching.detection import Detection, detect
from shieldclip.matching.features import ImageFeatures, TextFeatures
from shieldclip.matching.judge import Matching
from shieldclip.matching.memory import match_features
from shieldclip.matching.occurrences import Occurrences
from shieldclip.matching.pairs import Pairs
from shieldclip.matching.risk import Split, split
from shieldclip.matching.run import Computing, match
from shieldclip.matching.settings import MatchSettings
from shieldclip.matching.summary import Summary
from shieldclip.matching.suspects import Suspects, find_suspects
from shieldclip.matching.table import load_table
from shieldclip.matching.words import AccusedWord, accuse_words

__all__ = [
    "AccusedWord",
    "Computing",
    "Detection",
    "ImageFeatures",
    "MatchSettings",
    "Matching",
    "Occurrences",
    "Pairs",
    "Split",
    "Summary",
    "Suspects",
    "TextFeatures",
    "accuse_words",
    "detect",
    "find_suspects",
    "load_table",
    "match",
    "match_features",
    "split",
]
