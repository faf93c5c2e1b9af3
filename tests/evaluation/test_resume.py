"""A run that is killed loses nothing that was finished, and is not told apart afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = """
import sys, time
from toy_parts import Corner, ToyEncoder, toy_source
from shieldclip.evaluation import plan, run
from shieldclip.evaluation.request import EvalRequest

class SlowEncoder(ToyEncoder):
    def encode_image(self, images):
        time.sleep(float(sys.argv[2]))
        return super().encode_image(images)

run.load_encoder = lambda spec, **_: SlowEncoder(spec, seed=len(spec))
run.open_source = lambda source, **_: toy_source()
plan.make_trigger = lambda name, **_: Corner(name, level=len(name) / 30)
request = EvalRequest(("one", "three"), sys.argv[1], out=plan_out, batch_size=16)
print(run.evaluate(request).to_json())
""".replace("plan_out", "__import__('pathlib').Path(sys.argv[3])")

SUITE = """
name: resume
description: Eight triggers.
entries:
  - data: toys
    protocols: [zero-shot, retrieval]
    triggers: [a, bb, ccc, dddd, eeeee, ffffff, ggggggg, hhhhhhhh]
    target: banana
"""


def start(folder: Path, out: Path, delay: float) -> subprocess.Popen[str]:
    suite = folder / "resume.yaml"
    suite.write_text(SUITE)
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1])])
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(suite), str(delay), str(out)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    )


def cells(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.glob("*/*.safetensors")}


def figures(report: str) -> dict[str, object]:
    record = json.loads(report)
    del record["throughput"]
    return record


def test_killed_in_the_middle_a_rerun_gives_the_same_report_and_repeats_no_cell(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start(tmp_path, killed, delay=0.1)
    while len(cells(killed)) < 8 and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = cells(killed)

    resumed = start(tmp_path, killed, delay=0)
    straight = start(tmp_path, whole, delay=0)
    reports = [process.communicate(timeout=300)[0] for process in (resumed, straight)]

    assert 8 <= len(finished) < len(cells(killed))
    assert finished.items() <= cells(killed).items()
    assert {path.name for path in cells(killed)} == {path.name for path in cells(whole)}
    assert figures(reports[0]) == figures(reports[1])
