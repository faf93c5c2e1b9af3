"""A report as one self-contained HTML page."""

from shieldclip.evaluation.pages.page import to_html

__all__ = ["to_html"]
