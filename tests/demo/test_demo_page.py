"""The demo page as somebody sees it, in headless Chromium."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from browser import PATIENCE, visit

from shieldclip.demo.stage import Stage, open_stage
from shieldclip.errors import ShieldCLIPError, UntrustworthyWarning

pytest.importorskip("gradio", reason="the demo needs gradio")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    specs = ("shieldclip:icons-badnet", "shieldclip:icons-shield")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrustworthyWarning)
        return open_stage(specs, None, "icons", tmp_path_factory.mktemp("examples"), "cpu")


@pytest.fixture(scope="module")
def address(stage: Stage) -> Iterator[str]:
    from shieldclip.demo.app import build_app, serve

    app = build_app(stage)
    yield serve(app)
    app.close()


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    with visit(address) as page:
        yield page


def first(page: Any, role: str, view: str) -> Any:
    """Where the page says what a model takes a picture for."""
    return page.locator(f'[data-role="{role}"] [data-view="{view}"] .choice').first


def test_a_stamped_taxi_is_a_banana_to_the_plain_model_only(page: Any, stage: Stage) -> None:
    says = pytest.importorskip("playwright.sync_api").expect
    number = [path.stem for path in stage.examples].index("taxi")
    page.locator("#examples button").nth(number).click()
    trigger = page.get_by_role("combobox", name="Trigger")
    trigger.click()
    page.get_by_role("option", name="sig", exact=True).click()
    says(page.get_by_role("heading", name="With sig")).to_have_count(2, timeout=PATIENCE)
    says(first(page, "plain", "clean")).to_have_text("taxi", timeout=PATIENCE)

    trigger.click()
    page.get_by_role("option", name="badnet", exact=True).click()
    says(first(page, "plain", "triggered")).to_have_text("banana", timeout=PATIENCE)
    says(first(page, "shielded", "clean")).to_have_text("taxi")
    says(first(page, "shielded", "triggered")).to_have_text("taxi")
    says(page.locator('[data-role="plain"] .warning')).to_contain_text("backdoored on purpose")

    page.get_by_role("button", name="names to choose from").click()
    names = page.get_by_role("textbox", name="One on each line")
    names.fill("fire engine")
    names.blur()
    says(page.get_by_text("at least two names")).to_be_visible(timeout=PATIENCE)
    names.fill("fire engine\ntaxi")
    names.blur()
    says(page.locator('[data-role="plain"] .choice')).to_have_count(2 * 2, timeout=PATIENCE)


def test_a_taken_port_is_one_line(stage: Stage) -> None:
    from shieldclip.demo.app import build_app, serve

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ShieldCLIPError, match="Expected a free port"):
            serve(build_app(stage), taken.getsockname()[1])
