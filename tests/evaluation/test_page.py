import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from reading import Page, expected, figures
from sample_report import BACKDOORED, CLEAN, EVERY, every_target, examples, hostile, many, sample

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.attack_rows import attack_rows
from shieldclip.evaluation.pages import to_html
from shieldclip.evaluation.pages.accuracy_scatter import accuracy_scatter, points
from shieldclip.evaluation.pages.asr_bars import asr_bars
from shieldclip.evaluation.pages.examples import spread

WHOLE = {name: make for name, make in EVERY.items() if make is not every_target}
every_sample = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
def test_every_measurement_can_be_read_back(make):
    report = make()
    found = figures(Page(to_html(report)).rows)
    assert len(found) == len(report.measurements)
    for m in report.measurements:
        shown = found[m.model, m.data, m.trigger, m.target, m.metric]
        assert shown == pytest.approx(expected(m), abs=0.05 + 1e-9), m


@every_sample
def test_page_is_well_formed_and_accessible(make):
    page = Page(to_html(make()))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs in page.tags:
        assert set(attrs.get("aria-labelledby", "").split()) <= set(ids)
        if tag == "th":
            assert attrs["scope"] in ("col", "row", "rowgroup")
        if tag == "img":
            assert attrs["alt"]
        if tag == "svg":
            assert attrs.get("role") == "img" or attrs["aria-hidden"] == "true"
        if attrs.get("class") == "scroll":
            assert attrs["tabindex"] == "0"
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@every_sample
def test_page_loads_nothing(make):
    html = to_html(make())
    for tag, attrs in Page(html).tags:
        assert tag not in ("script", "link", "iframe", "object", "base", "form")
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "action"):
            assert attrs.get(name, "data:image/png;base64,").startswith("data:image/png;base64,")
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


@every_sample
def test_drawings_are_well_formed_and_described(make):
    drawings = re.findall(r'<svg[^>]*role="img".*?</svg>', to_html(make()), flags=re.DOTALL)
    assert bool(drawings) == bool(attack_rows(make()))
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.findtext("title")
        assert root.findtext("desc")


def test_hostile_names_stay_text():
    html = to_html(hostile())
    tags = {tag for tag, _ in Page(html).tags}
    assert "script" not in tags
    assert "&lt;script&gt;" in html
    assert all(attrs.get("src") != "x" for _, attrs in Page(html).tags)


@pytest.mark.parametrize("uri", ["https://example.org/a.png", "javascript:alert(1)", ""])
def test_a_picture_from_elsewhere_is_refused(uri):
    stranger = replace(examples()[0], triggered_image=uri)
    with pytest.raises(ShieldCLIPError, match="data:image/png"):
        to_html(replace(sample(), examples=(stranger,)))


def test_headline_is_the_first_heading_and_the_title():
    html = to_html(sample())
    said = "Backdoor found: badnet turns 97.3\N{NO-BREAK SPACE}% of pictures into banana"
    assert f"<h1>{said}</h1>" in html
    assert "<title>Backdoor found: badnet turns 97.3 %" in html


def test_bars_are_as_long_as_the_shares():
    rows = [row for row in attack_rows(sample()) if row.asr.model == BACKDOORED]
    root = ElementTree.fromstring(asr_bars("a", BACKDOORED, rows))
    ticks = {t.text: float(t.get("x")) for t in root.iter("text") if t.get("class") == "tick"}
    start, end = ticks["0 %"], ticks["100 %"]
    bars = list(root.iter("rect"))
    assert len(bars) == len(rows)
    for bar, row in zip(bars, rows, strict=True):
        assert float(bar.get("x")) == start
        assert float(bar.get("width")) / (end - start) == pytest.approx(row.asr.value, abs=1e-4)


def test_whiskers_and_controls_stand_at_their_figures():
    (row,) = [r for r in attack_rows(sample()) if (r.asr.model, r.asr.trigger) == (CLEAN, "sig")]
    root = ElementTree.fromstring(asr_bars("a", CLEAN, [row]))
    ticks = {t.text: float(t.get("x")) for t in root.iter("text") if t.get("class") == "tick"}

    def share(x):
        return (float(x) - ticks["0 %"]) / (ticks["100 %"] - ticks["0 %"])

    (whisker,) = [p.get("d") for p in root.iter("path") if p.get("class") == "whisker"]
    low, high = re.match(r"M([\d.]+) .*H([\d.]+)", whisker).groups()
    (circle,) = root.iter("circle")
    (diamond,) = [p.get("d") for p in root.iter("path") if p.get("class") == "control-trigger"]
    assert share(low) == pytest.approx(row.asr.low, abs=1e-4)
    assert share(high) == pytest.approx(row.asr.high, abs=1e-4)
    assert share(circle.get("cx")) == pytest.approx(row.control.value, abs=1e-4)
    shown = share(re.match(r"M([\d.]+)", diamond)[1])
    assert shown == pytest.approx(row.control_trigger.value, abs=1e-4)


def test_only_attacks_above_their_control_are_bold():
    html = str(asr_bars("a", BACKDOORED, attack_rows(EVERY["one_model"]())))
    labels = {t.text: t.get("class") for t in ElementTree.fromstring(html).iter("text")}
    assert labels["97.3"] == "value strong"
    assert labels["1.1"] == "value"


def test_scatter_shows_each_models_worst_attack():
    found = points(sample(), attack_rows(sample()))
    assert [(p.letter, p.model, p.worst.trigger) for p in found] == [
        ("A", CLEAN, "badnet-noise"),
        ("B", BACKDOORED, "badnet"),
    ]


def test_letters_of_near_models_do_not_overlap():
    root = ElementTree.fromstring(accuracy_scatter("s", points(many(), attack_rows(many()))))
    placed = [
        (float(t.get("x")), float(t.get("y")))
        for t in root.iter("text")
        if t.get("class") == "letter"
    ]
    assert len(placed) == 6
    for i, (x, y) in enumerate(placed):
        assert all(abs(x - a) >= 12 or abs(y - b) >= 12 for a, b in placed[:i])


def test_no_scatter_of_a_single_model():
    assert 'id="tradeoff"' in to_html(sample())
    assert 'id="tradeoff"' not in to_html(EVERY["one_model"]())


def test_examples_are_spread_over_triggers_worst_first():
    shown = spread(examples((CLEAN,)), worst=["blended-text"], limit=4)
    assert [(e.trigger, e.label) for e in shown] == [
        ("blended-text", "apple"),
        ("blended-text", "gift"),
        ("badnet", "apple"),
        ("badnet-noise", "apple"),
    ]
