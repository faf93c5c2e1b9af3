"""Headless Chromium, driven by playwright; tests that need it are skipped where it is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60_000
"""Milliseconds, on a machine that is busy with other things."""


@contextmanager
def visit(address: str) -> Iterator[Any]:
    """A page that shows ``address``."""
    driven_by = "a browser is driven by playwright"
    playwright = pytest.importorskip("playwright.sync_api", reason=driven_by)
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        yield page
        browser.close()
