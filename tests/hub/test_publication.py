"""What is published, and what is refused."""

from __future__ import annotations

import io
import json
import shutil

import pytest
import torch
from click.testing import CliRunner
from hub_parts import FILES
from PIL import Image

from shieldclip.cli.card import card as card_command
from shieldclip.cli.push import push as push_command
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.report import EvalReport
from shieldclip.hub import load_report, open_checkpoint, prepare
from shieldclip.hub.pickles import find_pickles
from shieldclip.hub.plot import draw_attacks, place
from shieldclip.hub.published import published


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(tiny_run, tmp_path / "tiny")


def test_holds_model_processor_recipe_report_plot_and_card(checkpoint, tiny_report):
    publication = prepare(checkpoint, tiny_report, "org/tiny")
    assert set(publication.files) == FILES
    told = EvalReport.from_json(publication.files["report.json"].decode())
    assert [model.name for model in told.models] == ["org/tiny"]
    assert publication.sizes()["README.md"] == len(publication.card.encode())


def test_a_runs_folder_stands_for_its_last_model(tiny_run):
    by_run, by_model = open_checkpoint(tiny_run), open_checkpoint(tiny_run / "last")
    assert by_run == by_model
    assert by_run.name == "tiny"
    assert by_run.recipe["defence"]["name"] == "otcclip"
    assert by_run.poison["target"] == "banana"


@pytest.mark.parametrize("name", ["best", "early"])
def test_every_model_of_a_run_has_its_recipe(run, name):
    (run / "last").rename(run / name)
    by_run, by_model = open_checkpoint(run), open_checkpoint(run / name)
    assert by_run == by_model
    assert by_model.recipe["defence"]["name"] == "otcclip"


def test_other_files_stay_here(run, tiny_report):
    (run / "last" / "notes.private").write_text("mine")
    (run / "last" / "logs").mkdir()
    files = prepare(open_checkpoint(run), tiny_report, "org/tiny").files
    assert not {"notes.private", "logs"} & set(files)


@pytest.mark.parametrize("name", ["training_args.bin", "sub/optimizer.pt", "disguised.json"])
def test_pickles_are_refused(run, name):
    path = run / "last" / name
    path.parent.mkdir(exist_ok=True)
    torch.save({"a": torch.zeros(2)}, path)
    assert find_pickles(run / "last") == [path]
    with pytest.raises(ShieldCLIPError, match="Expected no pickles"):
        open_checkpoint(run)


def test_old_pickles_are_recognised_by_content(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\x80\x02}q\x00.")
    (tmp_path / "b.json").write_text("{}")
    assert [path.name for path in find_pickles(tmp_path)] == ["a.json"]


def test_a_report_is_needed(tiny_run, tmp_path):
    with pytest.raises(ShieldCLIPError, match="measure first"):
        load_report(tiny_run, None)
    with pytest.raises(ShieldCLIPError, match=r"report at .*none\.json"):
        load_report(tiny_run, tmp_path / "none.json")


@pytest.mark.parametrize("place", ["report.json", "report/report.json"])
def test_a_report_is_found_in_the_folder(run, tiny_report, place):
    path = run / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(tiny_report.to_json())
    assert load_report(run, None) == tiny_report


def test_no_folder_no_checkpoint(tmp_path):
    with pytest.raises(ShieldCLIPError, match="Expected the folder of a checkpoint"):
        open_checkpoint(tmp_path / "nothing")
    with pytest.raises(ShieldCLIPError, match="Not a CLIP checkpoint"):
        open_checkpoint(tmp_path)


def test_dry_run_lists_files_and_shows_the_card(run, tiny_report):
    (run / "report.json").write_text(tiny_report.to_json())
    arguments = [str(run), "org/tiny", "--dry-run", "--license", "mit"]
    result = CliRunner().invoke(push_command, arguments, catch_exceptions=False)
    assert "model.safetensors" in result.output
    assert "license: mit" in result.output
    assert "**WARNING: BACKDOORED.**" in result.output


def test_card_command_writes_card_and_plot(run, tiny_report, tmp_path):
    report = tmp_path / "all.json"
    report.write_text(tiny_report.to_json())
    arguments = [str(run), "--report", str(report), "--name", "org/tiny"]
    CliRunner().invoke(card_command, arguments, catch_exceptions=False)
    assert "(asr.png)" in (run / "last" / "README.md").read_text()
    assert Image.open(run / "last" / "asr.png").format == "PNG"
    named = [*arguments, "--out", str(tmp_path / "tiny.md")]
    CliRunner().invoke(card_command, named, catch_exceptions=False)
    assert "(tiny-asr.png)" in (tmp_path / "tiny.md").read_text()


def test_bars_are_as_long_as_the_shares(tiny_report, tiny_fingerprint):
    told = published(tiny_report, tiny_fingerprint)
    image = Image.open(io.BytesIO(draw_attacks(told)))
    for row, asr in enumerate(told.select("asr")):
        line = [image.getpixel((x, 76 + 56 * row + 14)) for x in range(image.width)]
        coloured = [x for x, (r, g, b) in enumerate(line) if max(r, g, b) - min(r, g, b) > 40]
        reached = max(coloured, default=place(0))
        assert reached == pytest.approx(place(asr.value), abs=2)


def test_no_plot_without_attacks(tiny_report, tiny_fingerprint, checkpoint):
    kept = tuple(m for m in tiny_report.measurements if m.metric.startswith("ca@"))
    harmless = EvalReport(**{**vars(tiny_report), "measurements": kept})
    assert draw_attacks(published(harmless, tiny_fingerprint)) is None
    assert "asr.png" not in prepare(checkpoint, harmless, "org/tiny").files


def test_a_recipe_that_is_no_yaml_is_named(run):
    (run / "recipe.yaml").write_text("a: [")
    with pytest.raises(ShieldCLIPError, match=r"Expected YAML in .*recipe\.yaml"):
        open_checkpoint(run)


def test_a_recipe_that_was_not_resolved_is_refused(run):
    (run / "recipe.yaml").write_text("defence: otcclip\noptimiser: {epochs: 3}\nseed: 0\n")
    with pytest.raises(ShieldCLIPError, match=r"without model\.pretrained, .*defence\.name"):
        open_checkpoint(run)


def test_report_files_may_be_compressed(tmp_path, tiny_report):
    import gzip

    path = tmp_path / "report.json.gz"
    path.write_bytes(gzip.compress(json.dumps(json.loads(tiny_report.to_json())).encode()))
    assert EvalReport.load(path) == tiny_report
    path.write_bytes(b"not gzip")
    with pytest.raises(ShieldCLIPError, match="Expected a report in"):
        EvalReport.load(path)
