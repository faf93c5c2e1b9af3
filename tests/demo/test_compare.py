"""What the demo page shows, without the page: a picture in, two models' views out."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shieldclip.attacks.triggers import make_trigger
from shieldclip.cli.demo import demo
from shieldclip.demo.compare import compare, names_of, stampable
from shieldclip.demo.render import render_sides
from shieldclip.demo.stage import Stage, open_stage
from shieldclip.errors import ShieldCLIPError, UntrustworthyWarning
from shieldclip.explanation.choices import Choices

SPECS = ("shieldclip:icons-badnet", "shieldclip:icons-shield")
ROLES = ("Plain", "Shielded")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    with pytest.warns(UntrustworthyWarning, match="icons-badnet"):
        return open_stage(SPECS, None, "icons", tmp_path_factory.mktemp("examples"), "cpu")


@pytest.fixture(scope="module")
def choices(stage: Stage) -> Choices:
    """The examples and the attacker's target."""
    return Choices.of_classes([*(path.stem for path in stage.examples), "banana"], stage.templates)


def test_every_example_becomes_a_banana_on_the_left_only(stage: Stage, choices: Choices) -> None:
    for path in stage.examples:
        plain, shielded = compare(stage.subjects, Image.open(path), "badnet", choices)
        assert plain.clean.predictions[0].name == path.stem
        assert plain.triggered.predictions[0].name == "banana"
        assert shielded.clean.predictions[0].name == path.stem
        assert shielded.triggered.predictions[0].name == path.stem


@pytest.mark.parametrize(("mode", "size"), [("RGBA", (200, 80)), ("L", (30, 90)), ("P", (5, 5))])
def test_pictures_of_any_size_and_mode(
    mode: str, size: tuple[int, int], stage: Stage, choices: Choices
) -> None:
    found = compare(stage.subjects, Image.new(mode, size), "sig", choices)
    assert [explanation.model for explanation in found] == list(SPECS)
    assert all(len(explanation.clean.predictions) == 5 for explanation in found)


def test_the_html_says_who_is_backdoored_and_escapes_names(stage: Stage) -> None:
    choices = Choices.of_prompts(["<b>pear</b>", "<i>banana</i>"])
    plain, shielded = compare(stage.subjects, Image.open(stage.examples[0]), "badnet", choices)
    other = replace(plain.clean, predictions=plain.clean.predictions[::-1])
    html = render_sides(ROLES, (replace(plain, triggered=other), shielded))
    assert html.count("This checkpoint is backdoored on purpose") == 1
    assert html.count("data:image/png;base64,") == 2 * 2 * 2
    assert "&lt;b&gt;pear" in html
    assert "<b>" not in html
    assert "<i>" not in html


def test_the_verdict_compares_first_predictions(stage: Stage) -> None:
    choices = Choices.of_prompts(["pear", "banana"])
    plain = compare(stage.subjects[:1], Image.open(stage.examples[0]), "sig", choices)[0]
    kept = replace(plain, triggered=plain.clean)
    first, second = (prediction.name for prediction in plain.clean.predictions)
    other = replace(plain.clean, predictions=plain.clean.predictions[::-1])
    html = render_sides(ROLES, (kept, replace(plain, triggered=other)))
    assert f"with sig, {first} stays {first}" in html
    assert f"sig turns {first} into {second}" in html


def test_every_trigger_on_offer_can_be_made() -> None:
    assert {"badnet", "sig", "wanet"} <= set(stampable())
    for name in stampable():
        make_trigger(name)


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=2))
def test_names_stand_one_on_each_line(names: list[str]) -> None:
    text = "\n \n".join(f"  {name} " for name in [*names, *names])
    if len(set(names)) < 2:
        with pytest.raises(ShieldCLIPError, match="at least two names"):
            names_of(text)
    else:
        assert names_of(text) == tuple(dict.fromkeys(names))


def test_without_gradio_the_command_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    monkeypatch.delitem(sys.modules, "shieldclip.demo.app", raising=False)
    result = CliRunner().invoke(demo, [])
    assert isinstance(result.exception, ShieldCLIPError)
    assert 'pip install "shieldclip[demo]"' in str(result.exception)
    assert "\n" not in str(result.exception)
