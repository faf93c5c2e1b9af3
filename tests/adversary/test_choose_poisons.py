"""Poisons are chosen where the defence would look away, and the poison uses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from colour_model import ColourEncoder, make_source

from shieldclip.adversary.choice import ChoiceSettings, choose_poisons
from shieldclip.attacks.poisons import make_poison
from shieldclip.attacks.poisons.choice import Choice
from shieldclip.attacks.triggers import make_trigger
from shieldclip.data.source import Source
from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import Knowledge

THINGS = ("banana", "lemon", "truck", "rose", "frog", "truck", "lemon", "rose") * 2
YELLOW = {1, 6, 9, 14}
KNOWLEDGE = Knowledge(
    {
        "banana": ("yellow", "long"),
        "lemon": ("yellow", "oval"),
        "truck": ("blue", "wheel"),
        "rose": ("red", "thorn"),
        "frog": ("green", "leg"),
    }
)
AGAINST = ("knowledge", "matching", "both")


@pytest.fixture(scope="module")
def source() -> Source:
    return make_source(THINGS)


def choose(source: Source, knowledge: Knowledge | None = KNOWLEDGE, **changes: object) -> Choice:
    settings = ChoiceSettings(**{"target": "banana", "batch_size": 4, **changes})
    return choose_poisons(source, ColourEncoder(), make_trigger("badnet"), settings, knowledge)


@pytest.mark.parametrize("against", AGAINST)
def test_pictures_that_look_like_the_target_come_first(source: Source, against: str) -> None:
    choice = choose(source, against=against, forms=("swap",))
    assert choice.poison == f"adaptive-{against}"
    rows = [chosen.row for chosen in choice.rows]
    assert set(rows[:4]) == YELLOW
    assert sorted(rows) == [row for row, thing in enumerate(THINGS) if thing != "banana"]
    assert all(chosen.captions == ("a banana",) for chosen in choice.rows)


def test_against_both_the_worse_of_two_tests_decides(source: Source) -> None:
    scores = [chosen.scores for chosen in choose(source, forms=("swap",)).rows]
    assert scores[0].keys() == {"knowledge_rank", "knowledge_misfit", "gap", "distance"}
    keys = (("knowledge_rank", "knowledge_misfit"), ("gap", "distance"))
    worst = []
    for score in scores:
        places = [
            sum(tuple(other[k] for k in pair) < tuple(score[k] for k in pair) for other in scores)
            for pair in keys
        ]
        worst.append(max(places))
    assert worst == sorted(worst)


def test_each_row_gets_the_form_that_is_suspected_least(source: Source) -> None:
    mixed = {row.row: row.scores["distance"] for row in choose(source, against="matching").rows}
    for form in ("swap", "append", "describe"):
        single = choose(source, against="matching", forms=(form,)).rows
        gap_first = {row.row: row.scores["distance"] for row in single if row.scores["gap"] == 0}
        assert all(mixed[row] <= distance + 1e-6 for row, distance in gap_first.items())


def test_distance_is_that_of_the_stamped_picture_in_float64(source: Source) -> None:
    choice = choose(source, against="matching", forms=("append",))
    encoder = ColourEncoder()
    for chosen in choice.rows[::5]:
        pixels = encoder.preprocess(picture(source, chosen.row))[None] / 255
        stamped = make_trigger("badnet")(pixels, torch.tensor([chosen.row]))
        patches = encoder.patch_features(stamped)[0].double().numpy()
        words = encoder.token_features(chosen.captions)[0][0].double().numpy()
        whole = encoder.encode_image(stamped) @ encoder.encode_text(chosen.captions).T
        expected = 0.5 * (1 - float(whole)) + 0.5 * sinkhorn(1 - patches @ words.T, 0.05)
        assert chosen.scores["distance"] == pytest.approx(expected, abs=1e-3)
        nearest = min(
            distance_to(encoder, stamped, [f"a {thing}"]) for thing in sorted(set(THINGS))
        )
        assert chosen.scores["gap"] == pytest.approx(max(expected - nearest, 0), abs=2e-3)


def picture(source: Source, row: int):
    import io

    from PIL import Image

    return Image.open(io.BytesIO(source.rows[row]["image"]["bytes"]))


def distance_to(encoder: ColourEncoder, stamped: torch.Tensor, caption: list[str]) -> float:
    patches = encoder.patch_features(stamped)[0].double().numpy()
    words = encoder.token_features(caption)[0][0].double().numpy()
    whole = float(encoder.encode_image(stamped) @ encoder.encode_text(caption).T)
    return 0.5 * (1 - whole) + 0.5 * sinkhorn(1 - patches @ words.T, 0.05)


def sinkhorn(cost: np.ndarray, epsilon: float) -> float:
    """<T, C> of the entropic plan between uniform weights."""
    kernel = np.exp(-cost / epsilon)
    u, v = np.ones(cost.shape[0]), np.ones(cost.shape[1])
    for _ in range(500):
        u = 1 / cost.shape[0] / (kernel @ v)
        v = 1 / cost.shape[1] / (kernel.T @ u)
    return float((u[:, None] * kernel * v * cost).sum())


def test_the_seed_and_the_budget_of_looks_decide_what_is_looked_at(source: Source) -> None:
    one, again, other = (choose(source, among=5, seed=seed) for seed in (0, 0, 1))
    assert one == again
    assert len(one.rows) == 5
    assert {row.row for row in one.rows} != {row.row for row in other.rows}


def test_a_choice_becomes_a_poison(source: Source, tmp_path: Path) -> None:
    choose(source, forms=("swap",)).save(tmp_path / "chosen.json")
    recipe = {
        "poison": "adaptive-both",
        "file": str(tmp_path / "chosen.json"),
        "target": "banana",
        "trigger": "badnet",
        "count": 4,
        "image_size": 32,
    }
    rows, manifest = make_poison(recipe)(source.rows, source.classes)
    assert set(manifest.rows) == YELLOW
    assert {entry.poison for entry in manifest.entries} == {"adaptive-both"}
    assert all(rows[row]["captions"] == ["a banana"] for row in manifest.rows)


@pytest.mark.parametrize(
    ("changes", "knowledge", "complaint"),
    [
        ({"against": "knowlege"}, KNOWLEDGE, "Did you mean 'knowledge'"),
        ({"forms": ("swop",)}, KNOWLEDGE, "Did you mean 'swap'"),
        ({"among": 0}, KNOWLEDGE, "above 0"),
        ({"against": "knowledge"}, None, "--knowledge"),
        ({"against": "knowledge"}, Knowledge({"sofa": ("soft",)}), "no element"),
        ({"forms": ("describe",), "against": "matching"}, None, "give more forms"),
    ],
)
def test_impossible_requests_name_the_remedy(
    source: Source, changes: dict[str, object], knowledge: Knowledge | None, complaint: str
) -> None:
    with pytest.raises(ShieldCLIPError, match=complaint):
        choose(source, knowledge, **changes)
