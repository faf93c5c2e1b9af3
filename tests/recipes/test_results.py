"""RESULTS.md is what the stored reports say; small made-up reports show that the tables do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from expected.evidence import read_references
from expected.recipe_file import told
from results.attacked import Success, join
from results.page import to_html
from results.section import BEGIN, END, render, update
from results.stored import Run, RunFacts, load_experiments, save_run
from results.tables import tables
from results.verdict import holds
from write_results import MATRICES, PAGE, RECIPES, REPORTS, RESULTS, main

from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.metrics.intervals import wilson
from shieldclip.evaluation.report import DataInfo, EvalReport, Measurement, ModelInfo
from shieldclip.evaluation.table import MISSING
from shieldclip.training.defences.shield import Shield

DATA = DataInfo("icons-100", "icons-100", "test", "", "0" * 64, 1000)
MODEL = ModelInfo("m", "", "1" * 64, "transformers", 10, 64)


def share(metric, hits, n=1000, **where):
    found = wilson(hits, n)
    return Measurement("m", metric, found.value, n, found.low, found.high, **where)


def exact(metric, value, n=1000, **where):
    return Measurement("m", metric, value, n, value, value, **where)


def run(recipe, attack, seed, measurements, seconds=100.0, **facts):
    report = EvalReport((MODEL,), DATA, tuple(measurements), "quick", 0)
    rate = 0.0 if attack == "clean" else 0.02
    return Run(RunFacts(recipe, attack, rate, seed, seconds, 5000, {"loss": 1.0}, **facts), report)


def backdoor(recipe, seed, asr, top1, seconds=100.0, attack="badnet"):
    where = {"trigger": "badnet", "target": "banana", "data": "icons-100"}
    other = {**where, "trigger": "sig"}
    measurements = [
        share("ca@1", top1, data="icons-100"),
        share("asr", asr, **where),
        share("control", 2, **where),
        share("control_trigger", 4, **where),
        share("asr", 999, **other),
        share("control", 1, **other),
    ]
    return run(recipe, attack, seed, measurements, seconds)


def timed(run, seconds):
    return replace(run, facts=replace(run.facts, processor_seconds=seconds))


def clean(seed, top1):
    return run("plain", "clean", seed, [share("ca@1", top1, data="icons-100")])


def rows_of(runs, title):
    table = next(table for table in tables(join(runs)) if table.title == title)
    names = [column.name for column in table.columns]
    return [dict(zip(names, map(str, row), strict=True)) for row in table.rows], table


RUNS = [
    clean(0, 500),
    clean(1, 520),
    backdoor("plain", 0, 990, 505),
    backdoor("plain", 1, 970, 505),
    backdoor("shield", 0, 3, 500, seconds=150),
    backdoor("shield", 1, 40, 506, seconds=170),
    backdoor("weak", 0, 3, 505),
    backdoor("weak", 1, 300, 505),
    backdoor("dear", 0, 0, 490),
    backdoor("dear", 1, 0, 490),
]


def test_a_price_of_exactly_one_point_is_allowed():
    runs = [clean(0, 604), backdoor("plain", 0, 990, 505), backdoor("shield", 0, 0, 594)]
    rows, _ = rows_of(runs, "Backdoors")
    assert [row["Verdict"] for row in rows] == ["the attack works", "holds"]


def test_a_run_of_a_former_revision_is_marked():
    old = backdoor("shield", 0, 3, 500)
    old = Run(replace(old.facts, defence="shield", revision=1), old.report)
    new = backdoor("shield", 1, 3, 500)
    new = Run(replace(new.facts, defence="shield", revision=Shield.revision), new.report)
    plain = backdoor("plain", 0, 990, 505)
    for runs, names in (
        ([plain, new], ["plain", "shield"]),
        ([plain, old, new], ["plain", "shield †"]),
    ):
        for title in ("Backdoors", "Clean data"):
            assert [row["Recipe"] for row in rows_of(runs, title)[0]] == names


def test_utility_is_that_of_the_data_set_most_runs_were_asked_about():
    def retrieval(recipe, *measured):
        return run(recipe, "badnet", 0, [share("r@1_i2t", hits, data=d) for hits, d in measured])

    swapped = retrieval("swapped", (190, "icons-100"))
    both = retrieval("both", (170, "icons-100"), (250, "scenes"))
    runs = [retrieval(name, (260, "scenes")) for name in ("a", "b", "c")]
    rows, _ = rows_of([swapped, both, *runs], "Clean data")
    shown = {row["Recipe"]: row["R@1 I2T, %"].split(" ")[0] for row in rows}
    assert shown == {"a": "26.0", "b": "26.0", "c": "26.0", "both": "25.0", "swapped": MISSING}


def test_robust_accuracy_stands_beside_that_of_clean_training():
    where = {"trigger": "badnet", "target": "banana", "data": "icons-100"}
    robust = [share("ra", 480, **where), share("ra", 900, **{**where, "trigger": "sig"})]
    reference = run("plain", "clean", 0, [*clean(0, 604).report.measurements, *robust])
    attacked = backdoor("shield", 0, 3, 600)
    report = replace(attacked.report, measurements=(*attacked.report.measurements, robust[0]))
    rows, _ = rows_of([reference, replace(attacked, report=report)], "Backdoors")
    assert rows[0]["RA, %"].startswith("48.0 ")
    assert rows[0]["RA, clean training, %"] == rows[0]["RA, %"]
    rows, _ = rows_of([clean(0, 604), attacked], "Backdoors")
    assert (rows[0]["RA, %"], rows[0]["RA, clean training, %"]) == (MISSING, MISSING)


def test_accuracy_is_compared_with_clean_training_of_the_same_seeds():
    runs = [clean(0, 500), clean(1, 560), backdoor("shield", 0, 0, 495)]
    rows, _ = rows_of(runs, "Backdoors")
    assert (rows[0]["To clean, points"], rows[0]["Verdict"]) == ("\N{MINUS SIGN}0.5", "holds")
    rows, _ = rows_of([clean(1, 560), backdoor("shield", 0, 0, 495)], "Backdoors")
    assert rows[0]["To clean, points"] == "\N{MINUS SIGN}6.5", "no seed is shared"


def test_detection_is_that_of_the_first_and_the_last_plan():
    plans = [
        {
            "plan/auc": 0.99,
            "plan/recaptioned/poison": 0.85,
            "plan/left_out/poison": 0.05,
            "plan/recaptioned/clean": 0.01,
        },
        {"plan/auc": 0.5, "plan/recaptioned/poison": 0.2, "plan/recaptioned/clean": 0.0},
    ]
    measured = backdoor("shield", 0, 3, 500)
    matched = replace(measured, facts=replace(measured.facts, plans=plans))
    (row,), _ = rows_of(
        [clean(0, 500), backdoor("plain", 0, 990, 505), matched], "Detection by matching"
    )
    assert (row["ROC-AUC, first"], row["last"]) == ("0.9900", "0.5000")
    assert (row["Poisons changed, first, %"], row["Clean pairs changed, first, %"]) == (
        "90.0",
        "1.0",
    )


def test_plain_training_says_whether_the_attack_works():
    rows, _ = rows_of([clean(0, 500), backdoor("plain", 0, 990, 505)], "Backdoors")
    assert rows[0]["Verdict"] == "the attack works"
    rows, _ = rows_of([clean(0, 500), backdoor("plain", 0, 800, 505)], "Backdoors")
    assert rows[0]["Verdict"] == "does not implant"


def test_committed_results_are_those_of_the_committed_reports():
    experiments = load_experiments(REPORTS)
    if not experiments:
        pytest.skip("no training reports are stored yet")
    written = RESULTS.read_text(encoding="utf-8")
    assert f"{BEGIN}\n\n{render(experiments)}\n\n{END}\n" in written
    assert PAGE.read_text(encoding="utf-8") == to_html(experiments)
    references = read_references(MATRICES)
    for path in RECIPES.glob("*.yaml"):
        assert path.read_text(encoding="utf-8") == told(path, references, experiments)


def test_a_backdoor_by_recipe():
    rows, table = rows_of(RUNS, "Backdoors")
    assert [row["Recipe"] for row in rows] == ["plain", "dear", "shield", "weak"]
    by_recipe = {row["Recipe"]: row for row in rows}
    low, high = wilson(970, 1000).low, wilson(990, 1000).high
    plain = by_recipe["plain"]
    assert plain["ASR, %"] == f"98.0 [{100 * low:.1f}, {100 * high:.1f}]"
    assert plain["Control, %"].startswith("0.4 ")
    assert plain["Less control, points"] == "97.6"
    assert (plain["Seeds"], plain["Poisoned, %"], plain["Time / plain"]) == ("2", "2", "1.00")
    assert by_recipe["shield"]["Time / plain"] == "1.60"
    assert by_recipe["shield"]["To clean, points"] == "\N{MINUS SIGN}0.7"
    assert {name: row["Verdict"] for name, row in by_recipe.items()} == {
        "plain": "the attack works",
        "shield": "holds",
        "weak": "fails in 1 of 2 seeds",
        "dear": "attack stopped, accuracy lost",
    }
    assert [row[-1].strong for row in table.rows] == [False, False, True, False]
    assert table.note == ""


def test_only_the_planted_trigger_counts():
    text = render({"icons": RUNS})
    assert "99.9" not in text
    assert "**holds**" in text
    assert "sig" not in text


def test_an_attack_that_plain_training_does_not_learn_is_no_test():
    runs = [clean(0, 500), backdoor("plain", 0, 450, 500), backdoor("shield", 0, 0, 500)]
    _, table = rows_of(runs, "Backdoors")
    assert "badnet (banana) is no test here" in table.note
    assert "45.0 %" in table.note


def test_without_clean_training_accuracy_is_not_judged():
    rows, _ = rows_of([backdoor("shield", 0, 0, 500)], "Backdoors")
    assert rows[0]["Verdict"] == "attack stopped; accuracy not compared"
    assert rows[0]["Time / plain"] == "\N{EN DASH}"


def test_processor_time_counts_where_plain_training_kept_it():
    plain = backdoor("plain", 0, 990, 500, seconds=100)
    shield = backdoor("shield", 0, 0, 500, seconds=400)
    rows, _ = rows_of([timed(plain, 50.0), timed(shield, 60.0)], "Backdoors")
    assert [row["Time / plain"] for row in rows] == ["1.00", "1.20"]
    rows, _ = rows_of([timed(plain, 50.0), shield], "Backdoors")
    assert [row["Time / plain"] for row in rows] == ["1.00", "\N{EN DASH}"]
    rows, _ = rows_of([plain, timed(shield, 60.0)], "Backdoors")
    assert [row["Time / plain"] for row in rows] == ["1.00", "4.00"]


def test_poisoned_pictures_stand_beside_chance():
    where = {"target": "boat, zebra", "data": "icons-100"}
    measurements = [share("ca@1", 500, data="icons-100"), share("psr", 58, 64, **where)]
    rows, _ = rows_of([run("plain", "targeted", 0, measurements, classes=100)], "Poisoned pictures")
    assert rows[0]["PSR, %"].startswith("90.6 [")
    assert rows[0]["At random, %"] == "1.0"
    assert (rows[0]["Target"], rows[0]["Verdict"]) == ("boat, zebra", "the attack works")


def test_poisoned_pairs_stand_beside_random_ranking():
    where = {"target": "dog -> boat", "data": "scenes"}

    def swapped(recipe, hits, rank):
        return run(
            recipe,
            "label-swap",
            0,
            [
                share("hit@1", hits, 100, **where),
                exact("hit@1_random", 0.08, 100, **where),
                share("hit@10", 2 * hits, 100, **where),
                exact("hit@10_random", 0.5, 100, **where),
                Measurement("m", "min_rank", rank, 100, rank - 1, rank + 1, **where),
                exact("min_rank_random", 40.0, 100, **where),
            ],
        )

    rows, table = rows_of([swapped("plain", 48, 2.5), swapped("shield", 9, 44.0)], "Retrieval")
    assert table.note == ""
    assert [row["At random"] for row in rows] == ["40.0", "40.0"]
    assert [row["MinRank"] for row in rows] == ["2.5 [1.5, 3.5]", "44.0 [43.0, 45.0]"]
    assert [row["Verdict"] for row in rows] == [
        "the attack works",
        "attack stopped; accuracy not compared",
    ]


def test_utility_shows_what_was_measured():
    probe = [share("ca@1", 500), share("probe", 700), share("r@1_i2t", 100)]
    rows, table = rows_of(
        [run("plain", "clean", 0, probe), backdoor("plain", 0, 9, 400)], "Clean data"
    )
    assert [column.name for column in table.columns][3:6] == [
        "CA@1, %",
        "Linear probe, %",
        "R@1 I2T, %",
    ]
    assert rows[0]["Linear probe, %"].startswith("70.0 [")
    assert rows[1]["Linear probe, %"] == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("figure", "level", "expected"),
    [
        (share("asr", 50), None, True),
        (share("asr", 51), None, False),
        (share("asr", 90), share("control", 80), True),
        (share("asr", 110), share("control", 80), False),
        (share("hit@1", 110), exact("hit@1_random", 0.1), True),
        (share("hit@1", 150), exact("hit@1_random", 0.1), False),
    ],
)
def test_a_seed_holds_by_the_definition(figure, level, expected):
    assert holds(Success(figure, level)) == expected


def test_runs_survive_the_disk(tmp_path):
    for each in RUNS:
        save_run(each, tmp_path / "icons")
    first = {path.name: path.read_bytes() for path in (tmp_path / "icons").iterdir()}
    assert "shield__badnet__1.json.gz" in first
    assert len(first) == 2 * len(RUNS)
    loaded = load_experiments(tmp_path)["icons"]
    assert sorted(loaded, key=str) == sorted(RUNS, key=str)
    save_run(RUNS[0], tmp_path / "icons")
    assert {path.name: path.read_bytes() for path in (tmp_path / "icons").iterdir()} == first


def test_facts_that_do_not_fit_are_named(tmp_path):
    path = save_run(RUNS[0], tmp_path / "icons")
    facts = path.with_name("plain__clean__0.run.json")
    record = json.loads(facts.read_text())
    facts.write_text(json.dumps({**record, "seed": 3}))
    with pytest.raises(ShieldCLIPError, match="plain__clean__3"):
        load_experiments(tmp_path)
    facts.write_text(json.dumps({**record, "sead": 3}))
    with pytest.raises(ShieldCLIPError, match="sead"):
        load_experiments(tmp_path)
    facts.unlink()
    with pytest.raises(ShieldCLIPError, match=r"run\.json"):
        load_experiments(tmp_path)


def test_a_report_of_two_models_is_refused(tmp_path):
    two = replace(RUNS[0].report, models=(MODEL, replace(MODEL, name="n")))
    save_run(replace(RUNS[0], report=two), tmp_path / "icons")
    with pytest.raises(ShieldCLIPError, match="one model"):
        load_experiments(tmp_path)


def test_the_script_replaces_only_what_is_between_the_marks(tmp_path):
    results = tmp_path / "RESULTS.md"
    save_run(RUNS[2], tmp_path / "reports" / "icons")
    page = tmp_path / "results.html"
    arguments = ["--reports", str(tmp_path / "reports"), "--out", str(results), "--html", str(page)]
    arguments += ["--recipes", str(tmp_path)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    first = results.read_text()
    results.write_text(first.replace("# Results\n", "# Results\n\nBefore.\n") + "\nAfter.\n")
    save_run(RUNS[4], tmp_path / "reports" / "icons")
    assert CliRunner().invoke(main, arguments).exit_code == 0
    text = results.read_text()
    assert "Before." in text
    assert text.endswith("\nAfter.\n")
    assert "shield" in text
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    assert "shield" in page.read_text()


def test_no_reports_is_an_error(tmp_path):
    result = CliRunner().invoke(main, ["--reports", str(tmp_path)])
    assert result.exit_code == 1
    assert "No reports" in result.output


def test_update_starts_a_file(tmp_path: Path):
    update(tmp_path / "R.md", "text")
    assert (tmp_path / "R.md").read_text() == f"# Results\n\n{BEGIN}\n\ntext\n\n{END}\n"
