"""WordNet: its files, the sense of a noun that a picture shows, and what can be seen of it."""

from shieldclip.knowledge.wordnet.description import Description, describe
from shieldclip.knowledge.wordnet.lexicon import WordNet, read_wordnet
from shieldclip.knowledge.wordnet.nouns import nouns_of

__all__ = ["Description", "WordNet", "describe", "nouns_of", "read_wordnet"]
