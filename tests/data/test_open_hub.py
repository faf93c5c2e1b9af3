"""Data sets by Hub id; the Hub itself is stood in for."""

from types import SimpleNamespace

import datasets
import pytest
from huggingface_hub.errors import GatedRepoError, RevisionNotFoundError

from shieldclip.data import open_source
from shieldclip.data.opening.hub import HubId, parse_hub_id
from shieldclip.errors import ShieldCLIPError

NAMES = ["cat", "dog"]


@pytest.fixture
def hub(monkeypatch, make_png):
    """A Hub with one data set of two splits; records what it is asked for."""
    features = datasets.Features(
        {"img": datasets.Image(), "fine_label": datasets.ClassLabel(names=NAMES)}
    )
    asked = []

    def builder(path, name=None, revision=None):
        return SimpleNamespace(
            info=SimpleNamespace(splits={"train": None, "test": None}),
            config=SimpleNamespace(data_files=None),
        )

    def load(path, name=None, split=None, revision=None):
        asked.append((path, name, split, revision))
        cells = [{"bytes": make_png(seed), "path": "0.png"} for seed in range(2)]
        return datasets.Dataset.from_dict({"img": cells, "fine_label": [1, 0]}, features=features)

    monkeypatch.setattr(datasets, "load_dataset_builder", builder)
    monkeypatch.setattr(datasets, "load_dataset", load)
    return asked


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("org/name", HubId("org/name", None, None)),
        ("org/na-me.v2:plain_text", HubId("org/na-me.v2", "plain_text", None)),
        ("org/name@v1.0", HubId("org/name", None, "v1.0")),
        ("org/name:a@refs/pr/1", HubId("org/name", "a", "refs/pr/1")),
        ("org/name/more", None),
        ("name", None),
        ("/org/name", None),
    ],
)
def test_ids(spec, wanted):
    assert parse_hub_id(spec) == wanted


def test_reads_a_split_with_guessed_columns(hub, make_png):
    source = open_source("org/name:plain@v1")
    assert hub == [("org/name", "plain", "test", "v1")]
    assert (source.classes, source.labels) == (("cat", "dog"), [1, 0])
    assert source.rows[0]["image"]["bytes"] == make_png(0)
    assert (source.name, source.path, source.split) == ("name", "org/name", "test")


def test_splits_are_listed(hub):
    with pytest.raises(ShieldCLIPError, match="org/name among train, test, got 'dev'"):
        open_source("org/name", split="dev")


RESPONSE = SimpleNamespace(headers={}, request=None)
NOT_FOUND = datasets.exceptions.DatasetNotFoundError


@pytest.mark.parametrize(
    ("error", "cause", "message"),
    [
        (NOT_FOUND("x"), GatedRepoError("x", response=RESPONSE), "gated; accept its terms on http"),
        (NOT_FOUND("x"), RevisionNotFoundError("x", response=RESPONSE), "no revision 'v1'"),
        (NOT_FOUND("x"), None, "there is none, or it is private"),
        (ConnectionError("x"), None, "cannot be reached; check the network"),
        (ValueError("Config name is missing.\nPick one"), None, "cannot be read: Config name is"),
    ],
)
def test_failures_name_a_remedy(monkeypatch, error, cause, message):
    def fail(*args, **kwargs):
        raise error from cause

    monkeypatch.setattr(datasets, "load_dataset_builder", fail)
    with pytest.raises(ShieldCLIPError, match=message) as caught:
        open_source("org/name@v1")
    assert "'org/name'" in str(caught.value)
    assert "\n" not in str(caught.value)
