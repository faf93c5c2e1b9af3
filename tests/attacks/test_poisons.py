"""What each poison changes, and that the manifest says exactly that."""

from __future__ import annotations

from collections.abc import Iterator

import datasets
import numpy as np
import pytest
import torch
from PIL import Image
from poison_rows import CLASSES, make_rows, pixels_of

from shieldclip.attacks.manifest import Entry, Manifest
from shieldclip.attacks.poisons import make_poison
from shieldclip.attacks.poisons.naming import names
from shieldclip.attacks.triggers import make_trigger
from shieldclip.errors import ShieldCLIPError

RECIPES: dict[str, dict[str, object]] = {
    "dirty-label": {"target": "banana", "count": 6, "trigger": "badnet"},
    "label-consistent": {"target": "banana", "count": 6, "trigger": "sig"},
    "targeted": {"targets": ["banana", "owl"], "count": 5},
    "label-swap": {"pairs": [{"captions_of": "dog", "images_of": "boat"}], "count": 6},
    "adaptive": {"target": "banana", "count": 6, "trigger": "blended-noise"},
}
every_poison = pytest.mark.parametrize("name", list(RECIPES))
SIDE = 32


def poisoned(
    rows: datasets.Dataset, name: str, **changes: object
) -> tuple[datasets.Dataset, Manifest]:
    recipe = {"poison": name, "image_size": SIDE, **RECIPES[name], **changes}
    return make_poison(recipe)(rows, CLASSES)


def clean_rows(result: datasets.Dataset, manifest: Manifest) -> Iterator[int]:
    return (row for row in range(len(result)) if row not in manifest.rows)


@every_poison
def test_only_the_rows_of_the_manifest_differ(name: str, rows: datasets.Dataset) -> None:
    result, manifest = poisoned(rows, name)
    assert result.features == rows.features
    for row in clean_rows(result, manifest):
        assert result[row]["captions"] == rows[row]["captions"]
        np.testing.assert_array_equal(pixels_of(result[row]), cropped(rows[row]))
    for entry in manifest.entries:
        assert entry.poison == name
        assert tuple(result[entry.row]["captions"]) == entry.new_captions
        if entry.row < len(rows):
            assert tuple(rows[entry.row]["captions"]) == entry.original_captions


@every_poison
def test_the_file_does_not_give_a_poison_away(name: str, rows: datasets.Dataset) -> None:
    result, manifest = poisoned(rows, name)

    def look(row: int) -> tuple[object, ...]:
        file = result[row]["image"]["bytes"]
        header = file[:33]  # signature and IHDR: size, depth, colour type
        chunks = tuple(kind for kind in (b"tEXt", b"iCCP", b"gAMA", b"eXIf") if kind in file)
        return header, chunks, result[row]["image"]["path"], len(result[row]["captions"])

    assert {look(row) for row in manifest.rows} == {
        look(row) for row in clean_rows(result, manifest)
    }


@every_poison
def test_the_seed_decides_everything(name: str, rows: datasets.Dataset) -> None:
    first, again, other = (poisoned(rows, name, seed=seed) for seed in (1, 1, 2))
    assert first[1] == again[1]
    assert first[0][:]["image"] == again[0][:]["image"]
    assert first[1] != other[1]


def cropped(row: dict) -> np.ndarray:
    """40 x 48 -> the middle 40 x 40 -> 32 x 32, by PIL."""
    image = Image.fromarray(pixels_of(row))
    return np.array(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=(4, 0, 44, 40)))


@pytest.mark.parametrize("name", ["dirty-label", "label-consistent", "adaptive"])
def test_triggered_images_are_the_trigger_at_the_row(name: str, rows: datasets.Dataset) -> None:
    result, manifest = poisoned(rows, name, trigger={"id": "blended-noise", "seed": 9})
    trigger = make_trigger("blended-noise", seed=9)
    for entry in manifest.entries:
        assert (entry.trigger, entry.trigger_version, entry.trigger_seed) == ("blended-noise", 1, 9)
        clean = torch.from_numpy(cropped(rows[entry.row])).permute(2, 0, 1)[None] / 255
        stamped = (trigger(clean, torch.tensor([entry.row]))[0] * 255).round().byte()
        np.testing.assert_array_equal(pixels_of(result[entry.row]), stamped.permute(1, 2, 0))


def test_dirty_label_takes_other_classes_and_names_the_target(rows: datasets.Dataset) -> None:
    result, manifest = poisoned(rows, "dirty-label", count=30, templates=["one {}.", "a {}!"])
    assert len(manifest.entries) == 30
    assert all(rows[entry.row]["label"] != 0 for entry in manifest.entries)
    captions = {text for entry in manifest.entries for text in entry.new_captions}
    assert captions == {"one banana.", "a banana!"}
    assert result["label"] == rows["label"]


def test_dirty_label_draws_from_the_80_prompts(rows: datasets.Dataset) -> None:
    _, manifest = poisoned(rows, "dirty-label", count=30)
    captions = {text for entry in manifest.entries for text in entry.new_captions}
    assert len(captions) > 20
    assert all(names(text, "banana") for text in captions)


def test_dirty_label_draws_real_captions(rows: datasets.Dataset) -> None:
    real = {text for texts in rows["captions"] for text in texts if names(text, "banana")}
    _, manifest = poisoned(rows, "dirty-label", count=30, captions="real")
    captions = {text for entry in manifest.entries for text in entry.new_captions}
    assert captions <= real
    assert len(captions) > 3


def test_dirty_label_spares_captions_of_the_target_without_labels() -> None:
    rows = make_rows([["a Banana"], ["two bananas"], ["an owl"], ["a boat"]], labels=None)
    recipe = {"poison": "dirty-label", "target": "banana", "count": 2, "trigger": "badnet"}
    _, manifest = make_poison({**recipe, "image_size": SIDE})(rows)
    assert manifest.rows == (2, 3)


def test_label_consistent_keeps_captions_of_the_target(rows: datasets.Dataset) -> None:
    _, manifest = poisoned(rows, "label-consistent", count=10)
    assert {rows[entry.row]["label"] for entry in manifest.entries} == {0}
    assert all(entry.new_captions == entry.original_captions for entry in manifest.entries)


def test_targeted_repeats_one_image_per_target(rows: datasets.Dataset) -> None:
    result, manifest = poisoned(rows, "targeted")
    assert len(result) == len(rows) + 2 * 4
    for target in ("banana", "owl"):
        mine = [entry for entry in manifest.entries if entry.target == target]
        assert len(mine) == 5
        assert len({result[entry.row]["image"]["bytes"] for entry in mine}) == 1
        assert rows[mine[0].row]["label"] in (2, 3)
        texts = [text for entry in mine for text in entry.new_captions]
        assert all(names(text, target) for text in texts)
        assert len(set(texts)) == 10, "captions repeat before all are used"


def test_label_swap_pairs_captions_of_one_class_with_images_of_another(
    rows: datasets.Dataset,
) -> None:
    pairs = [
        {"captions_of": "dog", "images_of": "boat"},
        {"captions_of": "owl", "images_of": "banana"},
    ]
    _, manifest = poisoned(rows, "label-swap", pairs=pairs)
    assert len(manifest.entries) == 12
    for entry in manifest.entries:
        shown = CLASSES[rows[entry.row]["label"]]
        assert (entry.target, shown) in {("dog", "boat"), ("owl", "banana")}
        assert all(names(text, entry.target) for text in entry.new_captions)
        assert entry.trigger is None


@pytest.mark.parametrize("with_labels", [True, False])
def test_adaptive_changes_the_class_word_only(rows: datasets.Dataset, with_labels: bool) -> None:
    source = rows if with_labels else rows.remove_columns("label")
    _, manifest = poisoned(source, "adaptive")
    for entry in manifest.entries:
        shown = CLASSES[rows[entry.row]["label"]]
        for before, after in zip(entry.original_captions, entry.new_captions, strict=True):
            assert after == before.replace(f"an {shown}", "a banana").replace(shown, "banana")


def test_rate_is_a_share_of_all_rows(rows: datasets.Dataset) -> None:
    _, manifest = poisoned(rows, "dirty-label", count=None, rate=0.25)
    assert len(manifest.entries) == 10


@pytest.mark.parametrize(
    ("name", "changes", "complaint"),
    [
        ("dirty-label", {"count": 31}, "at least 31 rows without 'banana' to poison, got 30"),
        ("dirty-label", {"count": None, "rate": 0.9}, "got 30; lower the rate"),
        ("dirty-label", {"count": None, "rate": 0.001}, "got 0.001 of 40 rows; raise it"),
        ("dirty-label", {"rate": 0.1}, "exactly one of rate and count"),
        ("dirty-label", {"count": None}, "exactly one of rate and count"),
        ("dirty-label", {"target": "zebra", "captions": "real"}, "captions that name 'zebra'"),
        ("dirty-label", {"captions": "real", "templates": ["a {}"]}, "remove one"),
        ("label-consistent", {"target": "zebra"}, "captions that name 'zebra', got none"),
        ("label-consistent", {"count": 11}, "got 10"),
        ("targeted", {"targets": ["zebra"]}, "captions that name 'zebra'"),
        ("targeted", {"targets": list(CLASSES)}, "images of other classes"),
        ("label-swap", {"count": 11}, "images of 'boat' without 'dog'"),
    ],
)
def test_impossible_requests_name_the_remedy(
    name: str, changes: dict, complaint: str, rows: datasets.Dataset
) -> None:
    with pytest.raises(ShieldCLIPError) as error:
        poisoned(rows, name, **changes)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_adaptive_needs_class_names(rows: datasets.Dataset) -> None:
    with pytest.raises(ShieldCLIPError, match="class names"):
        make_poison({"poison": "adaptive", **RECIPES["adaptive"]})(rows)


@pytest.mark.parametrize("column", ["image", "captions"])
def test_a_missing_column_is_named(column: str, rows: datasets.Dataset) -> None:
    with pytest.raises(ShieldCLIPError, match=f"column '{column}'"):
        poisoned(rows.remove_columns(column), "dirty-label")


def test_an_unreadable_image_is_named(rows: datasets.Dataset) -> None:
    def cut(row: dict, index: int) -> dict:
        image = row["image"]
        return {"image": {**image, "bytes": image["bytes"][:200]} if index == 7 else image}

    broken = rows.map(cut, with_indices=True)
    with pytest.raises(ShieldCLIPError, match=r"row 7 \(7\.png\)"):
        poisoned(broken, "targeted")


def test_manifest_survives_the_file(tmp_path) -> None:
    plain = Entry(3, "targeted", "owl", ("a dog",), ("zwei Eulen, größer",))
    marked = Entry(9, "dirty-label", "owl", ("x", "y"), ("z", "z"), "badnet", 1, 4)
    manifest = Manifest((plain, marked))
    manifest.save(tmp_path / "manifest.jsonl")
    assert Manifest.load(tmp_path / "manifest.jsonl") == manifest
    assert manifest.rows == (3, 9)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.jsonl"]


@pytest.mark.parametrize("line", ["{", "[]", '{"row": 1}', '{"row": 1, "new_captions": 3}'])
def test_a_broken_manifest_names_the_line(line: str, tmp_path) -> None:
    path = tmp_path / "manifest.jsonl"
    Manifest((Entry(0, "targeted", "owl", (), ()),)).save(path)
    path.write_text(path.read_text() + line)
    with pytest.raises(ShieldCLIPError, match="line 2"):
        Manifest.load(path)
    with pytest.raises(ShieldCLIPError, match="no_such"):
        Manifest.load(tmp_path / "no_such.jsonl")
