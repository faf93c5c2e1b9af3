"""The leaderboard as somebody uses it, in headless Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import visit

from shieldclip.evaluation.leaderboard import to_html
from shieldclip.evaluation.report import EvalReport

REPORT = Path(__file__).parents[2] / "model_cards" / "zoo-quick.json.gz"
COLUMN = "CA@1, %"


@pytest.fixture(scope="module")
def report():
    return EvalReport.load(REPORT)


@pytest.fixture
def page(report, tmp_path):
    path = tmp_path / "board.html"
    path.write_text(to_html({"zoo": report}), encoding="utf-8")
    with visit(path.as_uri()) as page:
        yield page


def accuracies(page):
    """As they stand below each other."""
    heads = page.locator("table.sortable thead th").all_inner_texts()
    place = [head.strip() for head in heads].index(COLUMN)
    rows = page.locator("table.sortable tbody tr").all()
    return [float(row.locator("th, td").nth(place).locator(".figure").inner_text()) for row in rows]


def test_a_click_on_a_head_sorts_and_a_second_one_turns_the_order(page, report):
    measured = sorted(round(100 * m.value, 1) for m in report.select("ca@1"))
    page.get_by_role("button", name=COLUMN).click()
    assert accuracies(page) == measured
    page.get_by_role("button", name=COLUMN).click()
    assert accuracies(page) == measured[::-1]


def test_heads_are_reached_and_pressed_by_keyboard(page, report):
    page.get_by_role("button", name=COLUMN).focus()
    page.keyboard.press("Enter")
    assert page.locator('th[aria-sort="ascending"]').inner_text().strip().startswith("CA@1")
    assert accuracies(page) == sorted(accuracies(page))
