"""Folders of class folders, with and without splits."""

import pytest

from shieldclip.data import open_source
from shieldclip.errors import ShieldCLIPError


@pytest.fixture
def folders(tmp_path, make_png):
    """Writes pictures under the given relative paths into a folder ``set``."""

    def make(*paths):
        for number, path in enumerate(paths):
            file = tmp_path / "set" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(make_png(number))
        return str(tmp_path / "set")

    return make


def test_folders_are_classes_in_order(folders):
    folder = folders("dog/b.png", "dog/a.PNG", "big_cat/deep/er/1.jpg", ".git/x.png", "dog/x.txt")
    source = open_source(folder)
    assert source.classes == ("big_cat", "dog")
    assert source.labels == [0, 1, 1]
    assert [cell["path"].rsplit("/", 1)[1] for cell in source.rows["image"]] == [
        "1.jpg",
        "a.PNG",
        "b.png",
    ]
    assert (source.name, source.split) == ("set", "all")


def test_words_for_splits_in_names_of_classes_and_pictures_are_no_splits(folders):
    source = open_source(folders("train/test-1.png", "plane/2.png", "test/train_3.png"))
    assert source.classes == ("plane", "test", "train")
    assert len(source.rows) == 3


def test_one_folder_per_split(folders):
    folder = folders("train/cat/0.png", "train/dog/1.png", "val/cat/2.png", "val/dog/3.png")
    assert open_source(folder).split == "val"
    train = open_source(folder, split="train")
    assert (train.classes, train.labels, train.name) == (("cat", "dog"), [0, 1], "set")
    with pytest.raises(ShieldCLIPError, match="among train, val, got 'test'"):
        open_source(folder, split="test")


def test_one_folder_with_metadata_per_split(folders, tmp_path):
    folder = folders("train/0.png", "test/1.png")
    for split in ("train", "test"):
        (tmp_path / "set" / split / "metadata.jsonl").write_text(
            f'{{"file_name": "{int(split == "test")}.png", "text": "{split} picture"}}'
        )
    source = open_source(folder)
    assert (source.captions, source.split, source.name) == ([["test picture"]], "test", "set")


def test_a_class_list_renames_folders_by_name(folders, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("Zebra\nBig Cat\nDog\n")
    source = open_source(folders("dog/0.png", "big_cat/1.png"), classes=str(names))
    assert source.classes == ("Zebra", "Big Cat", "Dog")
    assert source.labels == [1, 2]


def test_a_class_list_renames_coded_folders_by_order(folders, tmp_path):
    names = tmp_path / "names.json"
    names.write_text('["tench", "goldfish"]')
    source = open_source(folders("n01443537/0.png", "n01440764/1.png"), classes=str(names))
    assert source.classes == ("tench", "goldfish")
    assert [cell["path"].split("/")[-2] for cell in source.rows["image"]] == [
        "n01440764",
        "n01443537",
    ]
    assert source.labels == [0, 1]


def test_a_partly_matching_class_list_is_no_order(folders, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("dog\ncat\n")
    with pytest.raises(ShieldCLIPError, match=r"'cats' \(did you mean 'cat'\?\)"):
        open_source(folders("cats/0.png", "dog/1.png"), classes=str(names))


def test_an_empty_class_folder(folders, tmp_path):
    folder = folders("cat/0.png", "dog/readme.txt")
    with pytest.raises(ShieldCLIPError, match=r"class folder .*dog, found none"):
        open_source(folder)


def test_pictures_without_classes_or_captions(folders):
    with pytest.raises(ShieldCLIPError, match=r"Expected class folders, metadata\.csv"):
        open_source(folders("0.png", "1.png"))
