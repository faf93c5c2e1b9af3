"""A page in the browser: one picture through a plain and a shielded model, side by side."""

from shieldclip.demo.compare import compare, names_of
from shieldclip.demo.render import render_sides

__all__ = ["compare", "names_of", "render_sides"]
