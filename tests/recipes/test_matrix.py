"""The matrix of training runs: what it reads, what a cell changes, what is asked of its model."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import datasets
import measure_cross_fitting
import measure_likelihood
import measure_matching
import pytest
import summarise_experiments as notes
from cells.measure import MANIFEST, PICTURES, write_poisoned
from cells.run import recipe_of
from cells.spec import cells_of, read_matrix
from marks import replace_block

from shieldclip.attacks.manifest import Entry, Manifest
from shieldclip.data import open_source
from shieldclip.data.embedded import EMBEDDED
from shieldclip.errors import ShieldCLIPError
from shieldclip.training.pairs.opening import OpenedPairs

FOLDER = Path(__file__).parents[2] / "training" / "matrices"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_cell_of_a_shipped_matrix_has_a_valid_recipe(path):
    matrix = read_matrix(path)
    cells = cells_of(matrix)
    assert len({cell.stem for cell in cells}) == len(cells)
    for cell in cells:
        recipe = recipe_of(matrix, cell)
        assert recipe.seed == cell.seed
        poison = matrix.attacks[cell.attack].poison
        if cell.recipe in matrix.repairs:
            assert recipe.data.poison is None
        elif poison is not None:
            planned = poison if cell.rate is None else {**poison, "rate": cell.rate}
            assert recipe.data.poison == {**planned, "seed": cell.seed}


def test_a_misspelt_key_names_the_nearest(tmp_path):
    path = tmp_path / "matrix.yaml"
    path.write_text("name: m\nquestion: q\nrecipies: {}\nattacks: {}\nseeds: [0]\n")
    with pytest.raises(ShieldCLIPError, match="recipes"):
        read_matrix(path)


def test_each_poisoned_picture_is_asked_about_once_under_its_target(tmp_path):
    source = EMBEDDED["icons-100"]("validation")
    rows = source.rows.select(range(6)).select_columns(["image"])
    rows = rows.add_column("captions", [[f"caption {row}"] for row in range(6)])
    entries = [
        Entry(row, "targeted", target, ("before",), ("after",))
        for row, target in ((1, "taxi"), (3, "banana"), (4, "taxi"), (5, "banana"))
    ]
    opened = OpenedPairs(rows, Manifest(tuple(entries)))
    with contextlib.chdir(tmp_path):
        write_poisoned(opened)
        written = open_source(str(PICTURES))
        manifest = Manifest.load(MANIFEST)
    assert [(entry.row, entry.target) for entry in manifest.entries] == [(0, "banana"), (1, "taxi")]
    pictures: datasets.Dataset = written.rows
    assert [cell["bytes"] for cell in pictures["image"]] == [
        rows[row]["image"]["bytes"] for row in (3, 1)
    ]


def test_the_notes_show_the_logs():
    text = notes.NOTES.read_text(encoding="utf-8")
    assert replace_block(text, "experiments", notes.table(notes.LOGS)) == text
    figures = json.loads(measure_likelihood.FIGURES.read_text(encoding="utf-8"))
    assert replace_block(text, "likelihood", measure_likelihood.table(figures)) == text
    for path in notes.LOGS.glob("*.jsonl"):
        assert f"`{path.stem}`" in text


@pytest.mark.parametrize(
    ("block", "measured"),
    [("cross-fitting", measure_cross_fitting), (measure_matching.MARK, measure_matching)],
)
def test_the_notes_on_matching_show_what_was_measured(block, measured):
    text = measured.NOTES.read_text(encoding="utf-8")
    figures = json.loads(measured.FIGURES.read_text(encoding="utf-8"))
    shown = measured.table(figures)
    assert shown in text
    assert replace_block(text, block, shown) == text
