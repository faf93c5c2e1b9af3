"""Which cells a matrix has, how far they are, and in which order they run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import pytest
from cells import run as running
from cells.alone import alone_in
from cells.board import board
from cells.progress import progress_of, time_left
from cells.run import recipe_of, report_of, train_cell
from cells.schedule import work_off
from cells.spec import Cell, Matrix, cells_of, origin, share_of
from results.stored import FACTS, REPORT, RunFacts
from rich.console import Console

from shieldclip.errors import ShieldCLIPError

TRAINING = Path(running.__file__).parents[1]
QUESTION = {"entries": [{"data": "icons-100", "protocols": ["zero-shot"]}]}
BADNET = {"poison": "dirty-label", "target": "banana", "rate": 0.5, "trigger": "badnet"}


def matrix(**changes):
    settings = {
        "name": "m",
        "question": "?",
        "recipes": {"plain": "finetune-plain", "shield": "finetune-shield"},
        "attacks": {"clean": QUESTION, "badnet": {**QUESTION, "poison": BADNET}},
        "seeds": (3, 5),
        "changes": ("optimiser.samples=1000", "optimiser.batch_size=100"),
    }
    return Matrix.model_validate({**settings, **changes})


@pytest.fixture(autouse=True)
def reports(tmp_path, monkeypatch):
    folder = tmp_path / "reports"
    (folder / "m").mkdir(parents=True)
    monkeypatch.setattr(running, "REPORTS", folder)
    return folder / "m"


def finish(folder, cell, seconds=60.0):
    facts = RunFacts(cell.recipe, cell.attack, 0.0, cell.seed, seconds, 1000)
    (folder / f"{cell.stem}{FACTS}").write_text(json.dumps(asdict(facts)))
    (folder / f"{cell.stem}{REPORT}").write_bytes(b"")


def test_the_first_seed_is_complete_before_the_second():
    assert [cell.seed for cell in cells_of(matrix())] == [3] * 4 + [5] * 4


def test_each_rate_is_a_cell_and_poisons_that_share():
    attacks = {"badnet": {**QUESTION, "poison": BADNET, "rates": [0.01, 0.003]}}
    wanted = matrix(attacks=attacks, seeds=(3,))
    cells = cells_of(wanted)
    assert [cell.stem for cell in cells[:2]] == ["plain__badnet@0.01__3", "plain__badnet@0.003__3"]
    assert [recipe_of(wanted, cell).data.poison["rate"] for cell in cells[:2]] == [0.01, 0.003]


def test_a_repair_starts_from_the_poisoned_model_and_sees_no_poison():
    wanted = matrix(repairs={"cleanclip": "finetune-cleanclip"}, seeds=(3,))
    repairs = [cell for cell in cells_of(wanted) if cell.recipe == "cleanclip"]
    assert [cell.attack for cell in repairs] == ["badnet"], "there is nothing to repair in clean"
    recipe = recipe_of(wanted, repairs[0])
    assert recipe.model.pretrained == "../plain__badnet__3/last"
    assert recipe.data.poison is None
    assert recipe.optimiser.samples == 1000


def test_a_variant_is_a_recipe_changed_after_the_matrix_changed_it(tmp_path):
    changes = ["optimiser.samples=700", "knowledge.source=wrong.jsonl"]
    variant = {"recipe": "finetune-shield", "changes": changes, "files": ["attacks/wrong.jsonl"]}
    wanted = matrix(recipes={"plain": "finetune-plain", "variant": variant}, seeds=(3,))
    cell = Cell("variant", "clean", 3)
    recipe = recipe_of(wanted, cell)
    assert (recipe.optimiser.samples, recipe.optimiser.batch_size) == (700, 100)
    with pytest.raises(ShieldCLIPError, match=r"attacks/wrong\.jsonl beside the matrix"):
        train_cell(wanted, cell, tmp_path, tmp_path)


def test_an_attack_changes_recipes_after_the_matrix_and_before_a_variant():
    attacks = {"badnet": {**QUESTION, "poison": BADNET, "changes": ["optimiser.samples=500"]}}
    variant = {"recipe": "finetune-plain", "changes": ["optimiser.samples=700"]}
    wanted = matrix(attacks=attacks, recipes={"plain": "finetune-plain", "variant": variant})
    samples = {c.recipe: recipe_of(wanted, c).optimiser.samples for c in cells_of(wanted)}
    assert samples == {"plain": 500, "variant": 700}


def test_an_attack_may_concern_some_recipes_only():
    attacks = {"badnet": {**QUESTION, "poison": BADNET, "only": ["shield"]}}
    assert {cell.recipe for cell in cells_of(matrix(attacks=attacks))} == {"shield"}
    with pytest.raises(ValueError, match="no such recipe"):
        matrix(attacks={"badnet": {**QUESTION, "only": ["sheild"]}})


def test_progress_is_read_from_reports_and_logs(tmp_path, reports):
    wanted = matrix(seeds=(3,))
    done, begun, failed, _ = cells_of(wanted)
    finish(reports, done, seconds=100.0)
    (tmp_path / begun.stem).mkdir()
    (tmp_path / begun.stem / "log.jsonl").write_text('{"step": 4, "seconds": 9.0}\n{"step": 5, "s')
    states = progress_of(wanted, cells_of(wanted), tmp_path, running=[begun], failed=[failed])
    assert [state.status for state in states] == ["done", "running", "failed", "missing"]
    assert states[1].share == pytest.approx(0.4), "a line cut off by a kill does not count"
    # 0.6 of the running one and all of the missing one, at 100 s each; the failed one is given up.
    assert time_left(states, jobs=2) == pytest.approx((60 + 100) / 2)
    assert time_left(states[1:], jobs=2) is None, "nothing finished yet to judge by"


def test_the_board_shows_a_mark_for_every_seed_and_what_remains(tmp_path, reports):
    wanted = matrix()
    for cell in cells_of(wanted)[:5]:
        finish(reports, cell, seconds=3600.0)
    console = Console(width=100, record=True)
    console.print(board(wanted, progress_of(wanted, cells_of(wanted), tmp_path), jobs=1))
    text = console.export_text()
    assert "5 of 8 done, about 3 h 00 min left" in text
    (row,) = [line for line in text.splitlines() if line.strip().startswith("clean")]
    assert "●●" in row
    assert "●·" in row


def test_failures_stop_what_depends_on_them_and_nothing_else(reports):
    wanted = matrix(repairs={"cleanclip": "finetune-cleanclip"}, seeds=(3,))
    plain, shield = Cell("plain", "badnet", 3), Cell("shield", "badnet", 3)
    repair = Cell("cleanclip", "badnet", 3)
    started, at_once = [], []

    def start(cell):
        started.append(cell)
        code = "raise SystemExit(1)" if cell == plain else "pass"
        if cell != plain:
            finish(reports, cell)
        return subprocess.Popen((sys.executable, "-S", "-c", code))

    for schedule in work_off(wanted, cells_of(wanted), start, jobs=2):
        at_once.append(len(schedule.running))
    assert set(schedule.failed) == {plain, repair}
    assert repair not in started
    assert shield in started
    assert max(at_once) <= 2
    assert report_of(wanted, shield).exists()


def test_a_repair_waits_for_what_it_repairs(reports):
    wanted = matrix(
        recipes={"plain": "finetune-plain"}, repairs={"par": "finetune-par"}, seeds=(3,)
    )
    done_before = {}

    def start(cell):
        done_before[cell.recipe, cell.attack] = report_of(
            wanted, Cell("plain", "badnet", 3)
        ).exists()
        finish(reports, cell)
        return subprocess.Popen((sys.executable, "-S", "-c", "pass"))

    *_, schedule = work_off(wanted, cells_of(wanted), start, jobs=5)
    assert not schedule.failed
    assert done_before["par", "badnet"]


def test_leaving_early_ends_what_runs(reports):
    sleeper = (sys.executable, "-S", "-c", "import time; time.sleep(60)")
    cells = cells_of(matrix())
    watch = work_off(matrix(), cells, lambda _: subprocess.Popen(sleeper), jobs=2)
    running = list(next(watch).running.values())
    watch.close()
    assert len(running) == 2
    assert all(process.poll() is not None for process in running)


def test_sigterm_ends_what_runs(tmp_path):
    script = f"""
import subprocess, sys
sys.path.insert(0, {str(TRAINING)!r})
from cells.schedule import leave_on_sigterm, work_off
from cells.spec import Cell, Matrix
def start(cell):
    return subprocess.Popen((sys.executable, "-S", "-c", "import time; time.sleep(60)"))
leave_on_sigterm()
asked = {{"entries": [{{"data": "icons-100", "protocols": ["zero-shot"]}}]}}
settings = {{"recipes": {{"plain": "plain"}}, "attacks": {{"clean": asked}}, "seeds": [0]}}
wanted = Matrix(name="none", question="?", **settings)
for schedule in work_off(wanted, [Cell("plain", "clean", 0)], start, jobs=1):
    print(*(process.pid for process in schedule.running.values()), flush=True)
"""
    with subprocess.Popen((sys.executable, "-c", script), stdout=subprocess.PIPE) as driver:
        cell = int(driver.stdout.readline())
        driver.terminate()
        assert driver.wait(timeout=30) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(cell, 0)


def test_a_run_folder_belongs_to_one_process_at_a_time(tmp_path):
    entered = threading.Event()

    def enter():
        with alone_in(tmp_path / "run"):
            entered.set()

    with alone_in(tmp_path / "run"):
        other = threading.Thread(target=enter)
        other.start()
        assert not entered.wait(0.2)
    other.join(timeout=30)
    assert entered.is_set()


def test_what_another_process_has_done_is_not_done_again(tmp_path, reports, monkeypatch):
    monkeypatch.setattr(running, "train", lambda *_: pytest.fail("trained again"))
    wanted = matrix(recipes={"plain": "finetune-plain"}, repairs={"par": "finetune-par"})
    plain, repair = Cell("plain", "badnet", 3), Cell("par", "badnet", 3)
    finish(reports, plain)
    running.run_cell(wanted, plain, tmp_path, tmp_path)
    finish(reports, repair)
    (tmp_path / plain.stem / running.TRAINED).touch()
    running.run_cell(wanted, repair, tmp_path, tmp_path)


def test_a_model_trained_in_part_is_trained_on_before_it_is_repaired(tmp_path, monkeypatch):
    wanted = matrix(recipes={"plain": "finetune-plain"}, repairs={"par": "finetune-par"})
    folder = tmp_path / "plain__badnet__3"
    (folder / "last").mkdir(parents=True)
    trained = []
    monkeypatch.setattr(running, "train", lambda recipe, *_: trained.append(recipe))
    monkeypatch.setattr(running, "_measure_and_keep", lambda *_: None)
    running.run_cell(wanted, Cell("par", "badnet", 3), tmp_path, tmp_path)
    assert [recipe.data.poison is not None for recipe in trained] == [True, False]
    assert (folder / running.TRAINED).exists()


def test_workers_share_all_cells_and_repair_what_they_trained():
    wanted = matrix(repairs={"par": "finetune-par", "cleanclip": "finetune-cleanclip"})
    shares = [share_of(wanted, index, 3) for index in range(3)]
    assert sorted(c.stem for share in shares for c in share) == sorted(
        c.stem for c in cells_of(wanted)
    )
    for share in shares:
        origins = [origin(wanted, cell) for cell in share]
        assert all(cell is None or cell in share for cell in origins)


def test_a_missing_file_of_an_attack_is_named(tmp_path):
    wanted = matrix(attacks={"badclip": {**QUESTION, "poison": BADNET, "files": ["a/b.json"]}})
    with pytest.raises(ShieldCLIPError, match=r"a/b\.json"):
        train_cell(wanted, cells_of(wanted)[0], tmp_path, home=tmp_path)
