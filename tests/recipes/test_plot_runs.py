"""Curves of several runs: the right panels, gaps where nothing was measured, readable names."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from plot_runs import main
from plots.draw import LINE_HEIGHT, draw, spread
from plots.log import Log, read_log
from plots.panels import panels

from shieldclip.errors import ShieldCLIPError


def lines_of(attacked: bool) -> list[dict[str, float]]:
    """Six logging events, every second one with an evaluation line; poisons in steps 0 and 5."""
    lines = []
    for step in range(6):
        line = {"step": step, "loss": 5.0 - step, "loss/contrastive": 4.0 - step}
        if attacked:
            line |= {"weight/clean": 1.0} | ({"weight/poison": 0.5} if step in (0, 5) else {})
        lines.append(line)
        if step % 2:
            lines.append({"step": step, "eval/ca@1": 0.1 * step, "eval/asr": 0.0})
    return lines


def write(folder: Path, lines: list[dict[str, float]], tail: str = "") -> Path:
    folder.mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "log.jsonl").write_text(text + tail)
    return folder


def curves(logs: list[Log]) -> dict[str, list[tuple[list[float], list[float]]]]:
    figure = draw(logs, panels(logs))
    return {
        axes.get_title(loc="left"): [
            (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines
        ]
        for axes in figure.axes
        if axes.axison
    }


def test_panels_are_those_that_some_log_has():
    plain, shielded = Log("a", tuple(lines_of(False))), Log("b", tuple(lines_of(True)))
    titles = ["Loss", "Loss: contrastive", "Top-1, %", "ASR, %"]
    assert list(curves([plain])) == titles
    drawn = curves([plain, shielded])
    assert list(drawn) == [*titles, "Weight"]
    assert [len(found) for found in drawn.values()] == [2, 2, 2, 2, 2]


def test_an_attack_is_drawn_by_its_first_trigger(tmp_path):
    lines = [{"step": step, "eval/asr/badnet": 0.5, "eval/asr/sig": 0.1} for step in (1, 2)]
    lines[1]["eval/ra/badnet"] = 0.25
    drawn = curves([read_log(write(tmp_path / "run", lines))])
    assert drawn["ASR, %"] == [([1, 2], [50, 50])]
    assert drawn["RA, %"][0][1][1] == 25


def test_values_are_the_logs_and_absent_keys_are_gaps():
    drawn = curves([Log("b", tuple(lines_of(True)))])
    assert drawn["Loss"] == [([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0])]
    steps, values = drawn["Top-1, %"][0]
    assert steps == [1, 3, 5]
    assert values == pytest.approx([10, 30, 50])
    clean, poison = drawn["Weight"]
    assert clean[1] == [1] * 6
    assert [math.isnan(value) for value in poison[1]] == [False, *[True] * 4, False]


def test_every_line_has_its_name():
    logs = [Log("plain", tuple(lines_of(False))), Log("shield", tuple(lines_of(True)))]
    names = {
        axes.get_title(loc="left"): {text.get_text() for text in axes.texts}
        for axes in draw(logs, panels(logs)).axes
    }
    assert names["ASR, %"] == {"plain", "shield"}
    assert names["Weight"] == {"shield clean", "shield poison"}


@given(st.lists(st.floats(0, 1), max_size=10).map(sorted))
def test_names_never_overlap(wanted):
    heights = spread(wanted)
    assert len(heights) == len(wanted)
    assert all(b - a >= LINE_HEIGHT - 1e-9 for a, b in pairwise(heights))
    assert all(height <= 1 for height in heights)


def test_names_with_room_stay_at_their_lines():
    assert spread([0.0, 0.3, 0.9]) == [0.0, 0.3, 0.9]


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_writes_equal_files_for_equal_logs(tmp_path, suffix):
    run = write(tmp_path / "plain", lines_of(True))
    for name in ("one", "two"):
        result = CliRunner().invoke(main, [str(run), "--out", f"{tmp_path}/{name}{suffix}"])
        assert result.output.startswith("Drew 5 panels of 1 runs")
    one, two = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "two"))
    assert one == two
    assert len(one) > 5000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["plain", f"one{suffix}", f"two{suffix}"]
    )


def test_a_run_being_written_is_read_up_to_its_last_whole_line(tmp_path):
    log = read_log(write(tmp_path / "run", lines_of(False), tail='{"step": 6, "lo'))
    assert log.name == "run"
    assert max(line["step"] for line in log.lines) == 5


@pytest.mark.parametrize(
    ("tail", "message"),
    [("nonsense\n", "line 10"), ('{"loss": 1}\n', "step"), ("[1]\n", "line 10")],
)
def test_a_damaged_line_is_named(tmp_path, tail, message):
    with pytest.raises(ShieldCLIPError, match=message):
        read_log(write(tmp_path / "run", lines_of(False), tail))


def test_what_cannot_be_drawn_is_said(tmp_path):
    empty = write(tmp_path / "empty", [{"step": 1, "rate": 2.0}])
    for arguments, message in [
        ([str(tmp_path), "--out", "a.svg"], "run folder"),
        ([str(empty), "--out", "a.svg"], "neither"),
        ([str(empty), "--out", "a.pdf"], r"FILE\.svg"),
    ]:
        result = CliRunner().invoke(main, arguments)
        assert isinstance(result.exception, ShieldCLIPError)
        with pytest.raises(ShieldCLIPError, match=message):
            raise result.exception
