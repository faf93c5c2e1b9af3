"""Looking inside: what a CLIP attends to, with and without a trigger, as a page and pictures."""

from shieldclip.explanation.attention import attention_maps
from shieldclip.explanation.explain import Explanation, Question, View, explain
from shieldclip.explanation.page import render_page
from shieldclip.explanation.subject import Subject, load_subject

__all__ = [
    "Explanation",
    "Question",
    "Subject",
    "View",
    "attention_maps",
    "explain",
    "load_subject",
    "render_page",
]
