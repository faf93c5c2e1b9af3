"""The data card of the icons: valid, and its counts are those of the files."""

import re

import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard

from shieldclip.data.sprites import FOLDER


@pytest.fixture(scope="module")
def card():
    return DatasetCard.load(FOLDER / "README.md")


def test_metadata_names_every_file(card):
    named = [part["path"] for config in card.data.configs for part in config["data_files"]]
    assert sorted(named) == sorted(path.name for path in FOLDER.glob("*.parquet"))
    assert (card.data.license, card.data.license_name) == ("other", "mixed-open-licences")


def test_rows_and_icons_are_counted_from_the_files(card):
    rows = dict(re.findall(r"\| `([\w-]+\.parquet)` \| (\d+) \|", card.text))
    found = {path.name: pq.read_metadata(path).num_rows for path in FOLDER.glob("*.parquet")}
    assert {name: int(count) for name, count in rows.items()} == found
    icons = sum(count for name, count in found.items() if name.startswith("sprites-"))
    assert f"{icons} icons of" in card.text


def test_loads_by_its_card():
    import datasets

    builder = datasets.load_dataset_builder(str(FOLDER), "icons-100")
    assert set(builder.config.data_files) == {"validation", "test"}
