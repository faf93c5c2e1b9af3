"""Visits, augmentation and batches: decided by seed, epoch and row, and by nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from shieldclip.data.parts import Part
from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import Knowledge
from shieldclip.training.defences import EpochPlan
from shieldclip.training.defences.semantic_shield_plus import meanings_of
from shieldclip.training.engine.patches import draw_patches
from shieldclip.training.model_setup import set_up
from shieldclip.training.pairs.augmentation import augment, visit_ids
from shieldclip.training.pairs.batches import (
    Elements,
    PairDataset,
    Preparation,
    SecondViews,
)
from shieldclip.training.pairs.caption_views import vary_captions
from shieldclip.training.pairs.opening import open_pairs
from shieldclip.training.pairs.pixels import DecodedPixels, decode_all, open_pixels, to_square
from shieldclip.training.pairs.visits import EpochBatches, Visit
from shieldclip.training.recipe.schema import Augmentation, DataSpec, ModelSpec

COLOUR = Augmentation(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.2)


def pictures(count: int = 6, size: int = 12) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@given(
    rows=st.integers(4, 40), batch=st.sampled_from([1, 2, 3, 4]), seed=st.integers(0, 9),
    epoch=st.integers(0, 5), world=st.sampled_from([1, 2]),
)  # fmt: skip
def test_an_epoch_visits_every_pair_once(rows, batch, seed, epoch, world):
    size = batch * world
    shares = [
        list(EpochBatches(range(rows), size, seed, rank, world, epoch)) for rank in range(world)
    ]
    visited = [visit.row for share in shares for part in share for visit in part]
    assert len(visited) == len(set(visited)) == rows // size * size
    whole = list(EpochBatches(range(rows), size, seed, epoch=epoch))
    # The processes' shares, in order of rank, are the batch of one process.
    together = [[v for share in shares for v in share[b]] for b in range(rows // size)]
    assert together == whole


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = [EpochBatches(range(50), 50, seed, epoch=epoch).order()
              for seed, epoch in ((0, 0), (0, 1), (1, 0))]  # fmt: skip
    assert len({tuple(order) for order in orders}) == 3


def test_a_plan_chooses_rows_captions_and_weights():
    batches = EpochBatches(range(8), 4, seed=0)
    batches.plan = EpochPlan(rows=[1, 2, 5], captions={2: "new"}, weights={5: 0.5})
    visits = [visit for batch in batches for visit in batch]
    # Three rows fill eight places: everyone twice, and two of them once more.
    counts = {row: sum(v.row == row for v in visits) for row in (1, 2, 5)}
    assert sum(counts.values()) == 8
    assert min(counts.values()) == 2
    assert {v.caption for v in visits if v.row == 2} == {"new"}
    assert {v.weight for v in visits if v.row == 5} == {0.5}
    some = EpochBatches([0, 2, 5, 7], 4, seed=0, plan=batches.plan)
    assert set(some.order()) == {2, 5}, "row 1 cannot be read"
    again = EpochBatches(range(8), 4, seed=0)
    batches.planned_epoch = 3
    again.load_state(batches.state())
    assert again.plan == batches.plan
    assert (again.epoch, again.planned_epoch) == (3, 3)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(6)), epoch=st.integers(0, 3))
def test_augmentation_does_not_depend_on_the_batch(order, epoch):
    rows, images = torch.tensor(order), pictures()
    changes = {"flip": True, "shift": 0.1, "crop": 0.6, "grey": 0.3, "blur": 1.0}
    both = COLOUR.model_copy(update=changes)
    whole = augment(images.clone(), visit_ids(torch.arange(6), epoch), 1, both)
    mixed = augment(images[rows].clone(), visit_ids(rows, epoch), 1, both)
    torch.testing.assert_close(mixed, whole[rows])
    single = augment(images[:1].clone(), visit_ids(torch.arange(1), epoch), 1, both)
    torch.testing.assert_close(single, whole[:1])
    assert whole.min() >= 0
    assert whole.max() <= 1


def test_every_visit_is_augmented_anew():
    images = pictures()
    first, second = (
        augment(images.clone(), visit_ids(torch.arange(6), epoch), 0, COLOUR) for epoch in (0, 1)
    )
    assert (first - second).abs().amax((1, 2, 3)).min() > 0.01


def test_colour_keeps_grey_grey_and_is_what_it_says():
    grey = pictures()[:, :1].expand(-1, 3, -1, -1)
    changed = augment(grey.clone(), visit_ids(torch.arange(6), 0), 0, COLOUR)
    torch.testing.assert_close(changed[:, 0], changed[:, 1], atol=1e-5, rtol=0)
    images = 0.3 + pictures() / 5  # nothing is clipped
    brighter = augment(images.clone(), visit_ids(torch.arange(6), 0), 0, Augmentation(brightness=1))
    factors = brighter / images
    assert factors.flatten(1).std(dim=1).max() < 1e-3
    assert factors.max() <= 2
    saturated = augment(
        images.clone(), visit_ids(torch.arange(6), 0), 0, Augmentation(saturation=0.5)
    )
    torch.testing.assert_close(saturated.mean(1), images.mean(1), atol=1e-5, rtol=0)
    contrasted = augment(
        images.clone(), visit_ids(torch.arange(6), 0), 0, Augmentation(contrast=0.3)
    )
    torch.testing.assert_close(
        contrasted.mean((1, 2, 3)), images.mean((1, 2, 3)), atol=1e-3, rtol=0
    )


def test_a_flip_mirrors_some_pictures_and_leaves_others():
    images = pictures(32)
    flipped = augment(images.clone(), visit_ids(torch.arange(32), 0), 0, Augmentation(flip=True))
    mirrored = [torch.allclose(a, b.flip(-1), atol=1e-5)
                for a, b in zip(flipped, images, strict=True)]  # fmt: skip
    same = [torch.allclose(a, b, atol=1e-5) for a, b in zip(flipped, images, strict=True)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 8 <= sum(mirrored) <= 24


def test_some_visits_have_no_colour():
    images = pictures(64)
    changed = augment(images.clone(), visit_ids(torch.arange(64), 0), 0, Augmentation(grey=0.5))
    spread = (changed.amax(1) - changed.amin(1)).amax((1, 2))
    grey = spread < 1e-5
    assert 20 <= grey.sum() <= 44  # three standard deviations
    torch.testing.assert_close(changed[grey].mean(1), images[grey].mean(1))
    torch.testing.assert_close(changed[~grey], images[~grey])


def test_a_blur_is_gaussian_and_leaves_half_of_the_pictures():
    images = torch.zeros(64, 3, 15, 15)
    images[:, :, 7, 7] = 1
    blurred = augment(images.clone(), visit_ids(torch.arange(64), 0), 0, Augmentation(blur=1.5))
    torch.testing.assert_close(blurred.sum((2, 3)), torch.ones(64, 3))
    torch.testing.assert_close(blurred, blurred.transpose(2, 3))
    same = torch.tensor([torch.equal(a, b) for a, b in zip(blurred, images, strict=True)])
    assert 20 <= same.sum() <= 44
    widest = blurred[int(blurred[:, 0, 7, 7].argmin()), 0, 7]
    # Of a Gaussian the logarithm is a parabola: its second differences are equal.
    bends = widest[5:10].log().diff(n=2)
    torch.testing.assert_close(bends, bends[:1].expand(3), atol=1e-3, rtol=0)
    flat = torch.full((8, 3, 6, 6), 0.3)
    kept = augment(flat.clone(), visit_ids(torch.arange(8), 0), 0, Augmentation(blur=2.0))
    torch.testing.assert_close(kept, flat)


def test_no_augmentation_changes_nothing():
    images = pictures()
    assert torch.equal(augment(images.clone(), torch.arange(6), 0, Augmentation()), images)


@given(kept=st.integers(1, 16), seed=st.integers(0, 5))
def test_dropped_patches_are_distinct_ordered_and_evenly_drawn(kept, seed):
    visits = visit_ids(torch.arange(2000), 0)
    index = draw_patches(visits, 16, kept, seed)
    assert index.shape == (2000, kept)
    assert (index.diff(dim=1) > 0).all()
    torch.testing.assert_close(draw_patches(visits[3:4], 16, kept, seed), index[3:4])
    counts = index.flatten().bincount(minlength=16) / 2000
    # Five standard deviations of a binomial share.
    assert (counts - kept / 16).abs().max() < 5 * (0.25 / 2000) ** 0.5


def test_pictures_are_resized_by_the_shorter_side_and_cropped_in_the_middle():
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 255
    square = to_square(Image.fromarray(pixels), 20)
    assert square.shape == (3, 20, 20)
    assert square[:, :, 2:18].min() > 200


@pytest.fixture
def rows(picture_folder: Path) -> datasets.Dataset:
    return open_pairs(DataSpec(sources=str(picture_folder)), 16).rows


def test_decoded_at_once_or_at_each_visit_is_the_same(rows):
    cached, lazy = open_pixels(rows, 16, cache_gb=1), open_pixels(rows, 16, cache_gb=0)
    assert isinstance(lazy, DecodedPixels)
    assert list(cached.readable) == list(lazy.readable)
    assert torch.equal(cached.read([3, 1])[1], lazy.read([3, 1])[1])


def test_bad_pictures_are_skipped_or_replaced_and_counted(rows, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"nothing")
    cells = list(rows["image"])
    cells[4] = {"bytes": None, "path": str(tmp_path / "bad.png")}
    columns = {"image": cells, "captions": list(rows["captions"])}
    broken = datasets.Dataset.from_dict(columns, features=rows.features)
    cached = decode_all(broken, 16)
    assert 4 not in cached.readable
    assert len(cached.readable) == 39
    assert "bad.png" in cached.skipped[0]
    read, pixels = DecodedPixels(broken, 16).read([3, 4])
    assert read == [3, 5]
    assert torch.equal(pixels[1], cached.read([5])[1][0])
    again, same = cached.read([3, 4])
    assert again == read
    assert torch.equal(same, pixels)
    cells[-1] = cells[4]
    columns = {"image": cells, "captions": list(rows["captions"])}
    last = decode_all(datasets.Dataset.from_dict(columns, features=rows.features), 16)
    assert last.read([39])[0] == [0], "after the last comes the first"
    everything = datasets.Dataset.from_dict(
        {"image": [cells[4]] * 3, "captions": [["x"]] * 3}, features=rows.features
    )
    with pytest.raises(ShieldCLIPError, match="readable pictures"):
        DecodedPixels(everything, 16).read([0])


@pytest.fixture(scope="module")
def processor():
    spec = ModelSpec(image_size=16, width=8, depth=1, heads=1, text_width=8, text_depth=1,
                     text_heads=1, joint_width=4)  # fmt: skip
    return set_up(spec, ["a red square", "a green bar", "one other caption"], 0)[1]


def test_batches_bring_captions_and_their_elements(rows, processor):
    knowledge = Knowledge({"red": ("warm", "colour", "loud"), "green": ("cold", "colour")})
    preparation = Preparation(processor, Augmentation(), 0, Elements(knowledge, most=2))
    pairs = PairDataset(decode_all(rows, 16), list(rows["captions"]), preparation)
    batch = pairs.__getitems__([Visit(0, 0, None, 1.0), Visit(1, 0, None, 1.0)])
    assert batch["row"].tolist() == [0, 1]
    assert "pair_weight" not in batch
    decoded = processor.batch_decode(batch["element_input_ids"], skip_special_tokens=True)
    assert [text.strip().replace(" ", "") for text in decoded] == ["warm", "colour", "cold"]
    assert batch["element_index"].tolist() == [[0, 1], [2, 1]]
    pixels = processor(images=list(pairs.pixels.read([0, 1])[1]))["pixel_values"]
    torch.testing.assert_close(batch["pixel_values"], pixels)


def test_second_views_are_further_rows_of_what_the_model_sees(rows, processor):
    views = SecondViews(0.5, Augmentation(brightness=0.5))
    once, twice = (
        Preparation(processor, Augmentation(), 0, views=given).batch(
            decode_all(rows, 16).read(range(4))[1],
            ["a red square", "a green bar", "one other caption", "red"],
            visit_ids(torch.arange(4), 0),
        )
        for given in (None, views)
    )
    assert len(twice["visit"]) == len(twice["pixel_values"]) == len(twice["input_ids"]) == 6
    assert len(twice["visit"].unique()) == 6
    torch.testing.assert_close(twice["pixel_values"][:4], once["pixel_values"])
    assert (twice["pixel_values"][4:] != once["pixel_values"][:2]).any()
    assert torch.equal(twice["picture"], once["picture"])


@pytest.mark.parametrize("again", [[], [3, 1]])
def test_a_plan_says_which_pairs_are_seen_twice(rows, processor, again):
    views = SecondViews(1.0, Augmentation(brightness=0.5, crop=0.5))
    preparation = Preparation(processor, Augmentation(), 0, views=views)
    pairs = PairDataset(decode_all(rows, 16), list(rows["captions"]), preparation)
    batches = EpochBatches(range(4), 4, seed=0)
    everyone = pairs.__getitems__(next(iter(batches)))
    batches.plan = EpochPlan(seen_twice=frozenset(again))
    visits = next(iter(batches))
    batch = pairs.__getitems__(visits)
    assert {visits[place].row for place in batch["again"].tolist()} == set(again)
    for name in ("pixel_values", "input_ids", "visit"):
        assert len(batch[name]) == 4 + len(again)
        chosen = torch.cat([torch.arange(4), 4 + batch["again"]])
        torch.testing.assert_close(batch[name], everyone[name][chosen])
    restored = EpochBatches(range(4), 4, seed=0)
    restored.load_state(batches.state())
    assert restored.plan == batches.plan


def test_captions_vary_at_first_sight_where_the_recipe_says_so(rows, processor):
    captions = ["a red square and a green bar and one other caption"] * 8
    pixels, visits = decode_all(rows, 16).read(range(8))[1], visit_ids(torch.arange(8), 0)
    once, varied = (
        Preparation(processor, Augmentation(), 0, vary_captions=vary).batch(
            pixels, captions, visits
        )["input_ids"]
        for vary in (False, True)
    )
    assert len(once.unique(dim=0)) == 1
    assert len(varied.unique(dim=0)) > 4


@given(
    captions=st.lists(st.text("ab ", min_size=1, max_size=30), max_size=5), seed=st.integers(0, 9)
)
def test_a_varied_caption_has_words_of_its_own_only(captions, seed):
    visits = torch.arange(len(captions))
    varied = vary_captions(captions, visits, seed)
    assert varied == vary_captions(captions, visits, seed)
    for text, own in zip(varied, captions, strict=True):
        left = Counter(own.split())
        left.subtract(text.split())
        assert min(left.values(), default=0) >= 0
        assert bool(text.split()) == bool(own.split())


def test_captions_vary_from_visit_to_visit():
    caption = "a red square left of a green bar on a wall"
    assert len(set(vary_captions([caption] * 20, torch.arange(20), 0))) > 10


def test_a_caption_of_the_plan_marks_its_pair(rows, processor):
    preparation = Preparation(processor, Augmentation(), 0)
    pairs = PairDataset(decode_all(rows, 16), list(rows["captions"]), preparation)
    visits = [Visit(0, 0, None, 1.0), Visit(1, 0, "a green bar", 1.0), Visit(2, 0, "red", 1.0)]
    marks = pairs.__getitems__(visits)["recaptioned"]
    assert marks[0] == 0
    assert len(marks.unique()) == 3


def test_a_pair_keeps_the_meaning_of_its_own_caption(rows, processor):
    of_words = {"red": ("red paint",), "bar": ("long", "thin"), "stick": ("thin", "long")}
    elements = Elements(Knowledge(of_words), 4)
    own = [["a red bar"], ["a red stick"], ["a red thing"]]
    pairs = PairDataset(
        decode_all(rows, 16), own, Preparation(processor, Augmentation(), 0, elements)
    )
    plan = [None, "a red thing", None]
    visits = [Visit(n, 0, caption, 1.0) for n, caption in enumerate(plan)]
    batch = pairs.__getitems__(visits)
    bar, stick, thing = batch["own_meaning"].tolist()
    # What accuses a meaning must call it by the name that the judge of pairs gives it.
    kept = batch["recaptioned"] == 0
    assert torch.equal(meanings_of(batch)[kept], batch["own_meaning"][kept])
    assert meanings_of(batch)[1] == elements.meaning("a red thing")
    assert bar == stick == elements.meaning("the red bar") != thing
    assert elements.meaning("nothing known") == 0
    assert -(2**63) <= thing < 2**63


def test_one_of_several_captions_is_drawn_at_every_visit(rows, processor):
    own = [[f"a {n}", f"b {n}"] for n in range(len(rows))]
    pairs = PairDataset(decode_all(rows, 16), own, Preparation(processor, Augmentation(), 0))
    ids = visit_ids(torch.arange(len(rows)), 0)
    drawn = pairs._own_captions(list(range(len(rows))), ids)
    assert {text[0] for text in drawn} == {"a", "b"}
    assert pairs._own_captions([7], ids[7:8]) == drawn[7:8]
    batch = pairs.__getitems__([Visit(7, 0, "planned", 0.5)])
    assert batch["input_ids"].tolist() == processor(text=["planned"])["input_ids"].tolist()
    assert batch["pair_weight"].tolist() == [0.5]


def test_sources_are_joined_as_often_as_they_are_repeated(picture_folder):
    spec = DataSpec(sources=[{"source": str(picture_folder), "repeat": 2}, str(picture_folder)])
    assert len(open_pairs(spec, 16).rows) == 120


def test_poisoned_rows_are_in_the_manifest_and_only_they(picture_folder):
    poison = {"poison": "dirty-label", "target": "red", "count": 5, "trigger": "badnet"}
    spec = DataSpec(sources=str(picture_folder), poison=poison)
    clean = open_pairs(DataSpec(sources=str(picture_folder)), 32)
    opened = open_pairs(spec, 32)
    changed = [row for row, (a, b) in enumerate(zip(clean.captions, opened.captions, strict=True))
               if a != b]  # fmt: skip
    assert opened.manifest is not None
    assert len(opened.manifest.rows) == 5
    assert set(changed) <= set(opened.manifest.rows)


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_left_out_is_the_part_that_is_judged_elsewhere(picture_folder, number):
    poison = {"poison": "dirty-label", "target": "red", "count": 15, "trigger": "badnet"}
    source = str(picture_folder)
    whole = open_pairs(DataSpec(sources=source, poison=poison), 32)
    opened = open_pairs(DataSpec(sources=source, poison=poison, leave_out=f"{number}/2"), 32)
    other = Part(3 - number, 2).of_rows(whole.rows).tolist()
    assert opened.captions == [whole.captions[row] for row in other]
    poisoned = [row for row in other if row in whole.manifest.rows]
    assert [other[row] for row in opened.manifest.rows] == poisoned


def test_a_stream_has_no_parts():
    with pytest.raises(ValidationError, match="no parts"):
        DataSpec(sources="x", streaming=True, leave_out="1/2")
