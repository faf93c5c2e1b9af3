"""Knowledge: captions or class names -> short phrases about what they look like."""

from shieldclip.knowledge.collect import collect
from shieldclip.knowledge.knowledge import EMBEDDED, Knowledge, load_knowledge
from shieldclip.knowledge.rows import KnowledgeRow, check_format, read_rows, write_rows
from shieldclip.knowledge.sentences import SentenceVectors, sentence_vectors, sentence_width
from shieldclip.knowledge.summary import Summary

__all__ = [
    "EMBEDDED",
    "Knowledge",
    "KnowledgeRow",
    "SentenceVectors",
    "Summary",
    "check_format",
    "collect",
    "load_knowledge",
    "read_rows",
    "sentence_vectors",
    "sentence_width",
    "write_rows",
]
