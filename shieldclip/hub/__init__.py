"""From a checkpoint folder and its report to a repository with a card; only this room publishes."""

from shieldclip.hub.checkpoint import Checkpoint, open_checkpoint
from shieldclip.hub.model_card import render_card
from shieldclip.hub.publication import Publication, load_report, prepare
from shieldclip.hub.published import published
from shieldclip.hub.push import Pushed, push

__all__ = [
    "Checkpoint",
    "Publication",
    "Pushed",
    "load_report",
    "open_checkpoint",
    "prepare",
    "published",
    "push",
    "render_card",
]
