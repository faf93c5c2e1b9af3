"""Keep the libraries' own log lines and progress bars out of the output."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence Python logging, warnings and transformers' progress bars; restore them after."""
    from transformers.utils import logging as transformers_logging

    library: Any = transformers_logging
    bars = library.is_progress_bar_enabled()
    level = logging.root.manager.disable
    # open_clip logs through the root logger, which would install a handler at its first line.
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    logging.disable(logging.CRITICAL)
    library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if bars:
            library.enable_progress_bar()
        logging.disable(level)
        logging.root.removeHandler(handler)
