from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import FIGURE, MINUS, cells, expected, figures, markdown_tables, value
from rich.console import Console
from sample_report import EVERY, every_target, hostile, sample

from shieldclip.evaluation.console import to_console
from shieldclip.evaluation.headline import headline
from shieldclip.evaluation.markdown import escape, to_markdown
from shieldclip.evaluation.verdict import excesses

GOLDEN = Path(__file__).parent / "sample_report.md"
WHOLE = {name: make for name, make in EVERY.items() if make is not every_target}


def test_the_sample_report_is_pinned():
    assert to_markdown(sample()) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
def test_every_measurement_can_be_read_back(make):
    report = make()
    found = figures(markdown_tables(to_markdown(report)))
    assert len(found) == len(report.measurements)
    for m in report.measurements:
        # Half a unit of the last digit: what one decimal may hide.
        shown = found[m.model, m.data, m.trigger, m.target, m.metric]
        assert shown == pytest.approx(expected(m), abs=0.05 + 1e-9), m


def test_the_excess_is_the_verdicts():
    column = f"ASR {MINUS} control, points"
    rows = [row for row in markdown_tables(to_markdown(sample())) if column in row]
    beyond = {(e.model, e.trigger): e for e in excesses(sample())}
    assert len(rows) == len(beyond)
    for row in rows:
        e = beyond[row["Model"], row["Trigger"]]
        shown = [value(FIGURE.fullmatch(row[column])[i]) for i in (1, 2, 3)]
        bounds = [100 * e.value, 100 * e.low, 100 * e.high]
        assert shown == pytest.approx(bounds, abs=0.05 + 1e-9)


def test_of_many_targets_the_worst_are_shown():
    text = to_markdown(every_target())
    targets = [row["Target"] for row in markdown_tables(text) if "Target" in row]
    assert len(targets) == 3
    assert targets[0] == "class-042"
    assert "the other 97 rows are in report.json" in text


def test_hostile_names_stay_text():
    text = to_markdown(hostile())
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert markdown_tables(text)[0]["Trigger"] == "bad|net"


@given(st.text())
def test_escaped_text_fills_exactly_one_cell(name):
    row = f"| {escape(name)} | end |"
    assert "\n" not in row
    assert len(cells(row)) == 2


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("width", [80, 160])
def test_the_terminal_shows_the_verdict_within_its_width(make, width):
    console = Console(width=width, record=True, file=StringIO())
    console.print(to_console(make()))
    lines = console.export_text().splitlines()
    assert all(len(line) <= width for line in lines)
    assert " ".join(headline(make()).title.split()) in " ".join(" ".join(lines).split())


def test_the_terminal_shows_figures_with_their_intervals():
    console = Console(width=160, record=True, file=StringIO())
    console.print(to_console(sample()))
    (row,) = [line.split() for line in console.export_text().splitlines() if "97.3 [96" in line]
    assert row[:4] == ["badnet", "banana", "97.3", "[96.1,98.1]"]


def test_a_narrow_terminal_cuts_no_figure_off():
    console = Console(width=80, record=True, file=StringIO())
    console.print(to_console(EVERY["retrieval_only"]()))
    assert "…" not in console.export_text()


@pytest.mark.parametrize(
    ("width", "beside", "below"), [(160, True, False), (110, False, True), (80, False, False)]
)
def test_intervals_stand_where_there_is_room(width, beside, below):
    console = Console(width=width, record=True, file=StringIO())
    console.print(to_console(sample()))
    lines = console.export_text().splitlines()
    (at,) = [n for n, line in enumerate(lines) if line.startswith("blended-text") and "1.1" in line]
    assert ("1.1 [0.6,2.0]" in lines[at], "[0.6,2.0]" in lines[at + 1]) == (beside, below)
