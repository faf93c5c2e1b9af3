"""Colours of the pages can be told apart, in light and in dark (WCAG 2.2, level AA)."""

import re
from importlib.resources import files

import pytest

STYLES = [
    files("shieldclip.pages").joinpath("base.css").read_text(encoding="utf-8"),
    files("shieldclip.evaluation.leaderboard").joinpath("style.css").read_text(encoding="utf-8"),
]

TEXT = [
    *((ink, "paper") for ink in ("ink", "muted", "danger", "caution", "calm")),
    *(("ink", f"{accent}-tint") for accent in ("danger", "caution", "calm")),
    *((accent, f"{accent}-tint") for accent in ("danger", "caution", "calm")),
    *(("ink", "tint"), ("muted", "tint")),
    *(("ink", f"heat-{level}") for level in range(6)),
]
MARKS = [("bar", "paper"), ("danger-bar", "paper"), ("calm", "paper"), ("ink", "danger-bar")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [*((*pair, 4.5) for pair in TEXT), *((*pair, 3) for pair in MARKS)],
)
def test_contrast(scheme, front, back, least):
    colours = palette(scheme)
    assert contrast(colours[front], colours[back]) >= least


def palette(scheme):
    """Custom properties of a scheme; the dark one overrides the light one."""
    chosen = ""
    for style in STYLES:
        light, dark = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
        chosen += light if scheme == "light" else light + dark
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", chosen))


def contrast(one, other):
    """Contrast ratio of WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shades_of_heat_grow(scheme):
    colours = palette(scheme)
    paper = luminance(colours["paper"])
    distances = [abs(luminance(colours[f"heat-{level}"]) - paper) for level in range(6)]
    assert distances == sorted(distances)
    assert distances[0] == 0
