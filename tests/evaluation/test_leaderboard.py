"""Checkpoints side by side: who is in, who is on the front, and what the page shows."""

import base64
import hashlib
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from reading import MISSING, Page
from sample_report import (
    BACKDOORED,
    CLEAN,
    DATA,
    attack,
    clean_accuracy,
    many,
    report,
    sample,
    share,
)

from shieldclip.cli.compare import compare as compare_command
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.leaderboard import gather, to_html, to_table
from shieldclip.evaluation.leaderboard.heat_map import LEVELS, heat_map, level
from shieldclip.evaluation.leaderboard.pareto import front
from shieldclip.evaluation.pages.accuracy_scatter import Point, accuracy_scatter


def of(model, fingerprint, top1, hits, **fields):
    """A report on one model: hits of ASR by trigger, among 990."""
    rows = [*clean_accuracy(model, top1, 918)]
    for trigger, asr in hits.items():
        rows += attack(model, trigger, asr, 4, 5, 600)
    whole = report(rows, models=(model,), **fields)
    return replace(whole, models=(replace(whole.models[0], fingerprint=fingerprint * 32),))


def apart(whole):
    """The same report, every model with weights of its own."""
    models = [replace(m, fingerprint=f"{i:02x}" * 32) for i, m in enumerate(whole.models)]
    return replace(whole, models=tuple(models))


@pytest.fixture
def three():
    return {
        "plain": of(BACKDOORED, "01", 704, {"badnet": 963, "sig": 4}),
        "clean": of(CLEAN, "02", 712, {"badnet": 4, "sig": 6, "wanet": 5}),
        "again": of("org/other-name", "01", 704, {"wanet": 990}),
    }


def test_reports_on_equal_weights_are_one_entry(three):
    best, worst = gather(three)
    assert (best.name, worst.name) == (CLEAN, BACKDOORED)
    assert list(worst.attacks) == ["badnet", "sig", "wanet"]
    assert worst.worst.asr.trigger == "wanet"
    assert (best.outcome, worst.outcome) == ("clean", "backdoored")


def test_equal_names_are_told_apart_by_their_reports(three):
    alike = {"a": of("last", "0a", 700, {"sig": 3}), "b": of("last", "0b", 600, {"sig": 3})}
    assert [entry.name for entry in gather(alike)] == ["a: last", "b: last"]


def test_of_many_targets_the_worst_counts():
    rows = [*clean_accuracy(CLEAN, 700, 900)]
    for target, hits in (("plum", 7), ("banana", 950), ("apple", 5)):
        rows += attack(CLEAN, "badnet", hits, 4, 5, 600, target)
    (entry,) = gather({"all": report(rows, models=(CLEAN,))})
    assert entry.attacks["badnet"].asr.target == "banana"


def test_other_data_cannot_be_compared(three):
    elsewhere = replace(DATA, name="imagenet", fingerprint="00" * 32)
    three["elsewhere"] = of("x", "0c", 600, {"sig": 3}, data=elsewhere)
    with pytest.raises(ShieldCLIPError, match=r"imagenet .* in elsewhere"):
        gather(three)
    with pytest.raises(ShieldCLIPError, match="at least one report"):
        gather({})


def point(accuracy, asr):
    return Point("A", "m", share("m", "ca@1", accuracy, 100), share("m", "asr", asr, 100))


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=12))
def test_the_front_is_what_nobody_beats(pairs):
    kept = {(p.accuracy.value, p.worst.value) for p in front([point(*pair) for pair in pairs])}
    for accuracy, asr in pairs:
        beaten = any(a >= accuracy and s <= asr and (a, s) != (accuracy, asr) for a, s in pairs)
        assert ((accuracy / 100, asr / 100) in kept) is not beaten


def test_the_fronts_line_passes_through_its_points():
    best = front([point(20, 5), point(60, 10), point(80, 90), point(50, 50)])
    root = ElementTree.fromstring(accuracy_scatter("s", best, best))
    (line,) = [p.get("d") for p in root.iter("path") if p.get("class") == "front"]
    circles = [(c.get("cx"), c.get("cy")) for c in root.iter("circle")]
    numbers = [round(float(number), 1) for number in re.findall(r"[\d.]+", line)]
    assert len(circles) == 3
    for x, y in circles:
        assert {round(float(x), 1), round(float(y), 1)} <= set(numbers)


def test_shades_go_from_none_to_all():
    assert [level(s) for s in (0, 0.001, 0.2, 0.5, 0.999, 1)] == [0, 1, 2, 3, LEVELS, LEVELS]


def test_heat_map_shows_every_attack(three):
    shown = heat_map(gather(three))
    assert shown.triggers == ("badnet", "sig", "wanet")
    cells = {(n, t): c for n, row in shown.rows for t, c in zip(shown.triggers, row, strict=True)}
    assert cells[BACKDOORED, "wanet"].text == "100.0"
    assert cells[BACKDOORED, "wanet"].strong
    assert cells[CLEAN, "badnet"].text == "0.4"
    assert not cells[CLEAN, "badnet"].strong


def test_a_trigger_that_was_not_tried_is_a_dash(three):
    del three["again"]
    shown = heat_map(gather(three))
    row = dict(shown.rows)[BACKDOORED]
    assert row[shown.triggers.index("wanet")].text == MISSING


@pytest.mark.parametrize("make", [sample, many])
def test_page_is_well_formed_and_loads_nothing(make):
    html = to_html({"one": apart(make())})
    page = Page(html)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs in page.tags:
        assert tag not in ("link", "iframe", "object", "base", "form", "img")
        assert not {"src", "href", "onclick", "style"} & set(attrs)
        assert set(attrs.get("aria-labelledby", "").split()) <= set(ids)
        if tag == "th":
            assert attrs["scope"] in ("col", "row")
    assert html.count("<script>") == 1
    assert "url(" not in html


def test_only_the_pages_own_script_may_run():
    html = to_html({"one": apart(sample())})
    (code,) = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', html)
    assert policy.split("; ")[0] == "default-src 'none'"
    assert policy.split("; ")[-1] == f"script-src 'sha256-{digest}'"


def test_heads_are_buttons_and_cells_can_be_sorted():
    html = to_html({"one": apart(sample())})
    table = to_table(gather({"one": apart(sample())}))
    head = html.partition("</thead>")[0]
    assert head.count('<button type="button">') == len(table.columns)
    sortable = re.search(r'<table class="sortable">.*?</table>', html, flags=re.DOTALL)[0]
    body = sortable.partition("<tbody>")[2]
    assert body.count('class="figure') == len(table.columns) * len(table.rows)


def test_every_figure_of_the_table_is_on_the_page():
    rows = Page(to_html({"one": apart(sample())})).rows
    shown = {row["Checkpoint"]: row for row in rows if "Verdict" in row}
    for row in to_table(gather({"one": apart(sample())})).rows:
        for cell in row:
            assert str(cell) in shown[row[0].text].values()


def test_command_prints_a_table_and_writes_a_page(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(apart(sample()).to_json())
    reports = [str(tmp_path / name / "report.json") for name in ("a", "b")]
    page = tmp_path / "out" / "board.html"
    result = CliRunner().invoke(compare_command, [*reports, "--html", str(page)])
    assert result.exit_code == 0, result.output
    assert "Backdoor" in result.output
    assert "<h1>2 checkpoints compared</h1>" in page.read_text()
