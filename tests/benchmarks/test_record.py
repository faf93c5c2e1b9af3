"""`benchmarks/record.py`: what is stored is what a benchmark printed, and only if it did."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import record
from costs.stored import load_records

from shieldclip.errors import ShieldCLIPError

PRINTS = """\
import json, os, sys
print("progress")
print(json.dumps({"cores": os.environ["OMP_NUM_THREADS"], "arguments": sys.argv[1:]}))
"""


GOOD, BAD = "transport", "eval-speed"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs benchmarks that are a few lines each."""
    monkeypatch.setattr(record, "HERE", tmp_path)
    monkeypatch.setitem(record.COMMANDS, GOOD, "good.py --model icons")
    monkeypatch.setitem(record.COMMANDS, BAD, "bad.py")
    (tmp_path / "good.py").write_text(PRINTS)
    (tmp_path / "bad.py").write_text("raise SystemExit(1)")

    def invoke(*arguments):
        return CliRunner().invoke(record.main, [*arguments, "--measured", str(tmp_path)])

    return invoke


def test_a_record_is_what_was_run_where_and_what_it_printed(run, tmp_path):
    assert run(GOOD, "--also", "--repeats 2").exit_code == 0
    found = load_records([GOOD], tmp_path)[GOOD]
    assert found.command == "python benchmarks/good.py --model icons --repeats 2 --json"
    assert found.figures == {
        "cores": "1",
        "arguments": ["--model", "icons", "--repeats", "2", "--json"],
    }
    assert found.machine.cores == record.CORES
    assert found.machine.processor == record.processor()
    assert found.origin.startswith(f"`{found.command}` on one core (")
    assert str(tmp_path) not in (tmp_path / f"{GOOD}.json").read_text()


@pytest.mark.parametrize("script", ["raise SystemExit(1)", ""])
def test_a_benchmark_without_figures_leaves_its_record(run, tmp_path, script):
    (tmp_path / "bad.py").write_text(script)
    before = tmp_path / f"{BAD}.json"
    before.write_text("before")
    result = run(GOOD, BAD)
    assert result.exit_code == 1
    assert "bad.py printed no figures" in result.output
    assert before.read_text() == "before"
    assert load_records([GOOD], tmp_path)[GOOD].figures["cores"] == "1"
    assert not list(tmp_path.glob(".*.part"))


def test_a_record_that_was_not_made_is_named(tmp_path):
    with pytest.raises(ShieldCLIPError, match=r"record\.py eval-speed"):
        load_records(["eval-speed"], tmp_path)


def test_every_benchmark_exists():
    for command in record.COMMANDS.values():
        assert (Path(record.__file__).parent / command.split()[0]).is_file()
