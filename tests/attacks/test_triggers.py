"""Properties that every image trigger has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shieldclip.attacks.triggers import TRIGGERS, Trigger, make_trigger
from shieldclip.attacks.triggers.patch import Patch, scaled_side
from shieldclip.errors import ShieldCLIPError

PER_IMAGE = {"badnet-noise", "badnet-stripes", "blended-noise", "blended-stripes"}
PATCHES = [
    name for name, kind in TRIGGERS.items() if issubclass(kind, Patch) and not kind.needs_path()
]
WITHOUT_FILE = [name for name, kind in TRIGGERS.items() if not kind.needs_path()]
every_trigger = pytest.mark.parametrize("name", list(TRIGGERS))
Named = Callable[..., Trigger]


def natural(count: int, height: int, seed: int = 0) -> torch.Tensor:
    """Smooth pictures with a little noise: [B, 3, H, H] in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 6, 6, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, height), mode="bilinear")
    noise = 0.1 * torch.rand(count, 3, height, height, generator=generator)
    return (0.9 * smooth + noise).clamp(0, 1)


@every_trigger
@pytest.mark.parametrize("height", [32, 64, 96, 224, 336])
def test_keeps_shape_and_range_and_always_acts(
    name: str, height: int, trigger_named: Named
) -> None:
    images = natural(2, height)
    before = images.clone()
    stamped = trigger_named(name)(images, torch.tensor([3, 9]))
    assert stamped.shape == images.shape
    assert stamped.min() >= 0
    assert stamped.max() <= 1
    changed = ((stamped - images).abs() > 1 / 255).flatten(1).any(1)
    assert changed.all()
    assert torch.equal(images, before), "the input was changed in place"


@every_trigger
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_dtype_gives_the_same_pixels(
    name: str, dtype: torch.dtype, trigger_named: Named
) -> None:
    trigger, indices = trigger_named(name), torch.arange(2)
    images = natural(2, 64).to(dtype)
    stamped = trigger(images, indices)
    assert stamped.dtype == dtype
    exact = trigger(images.float(), indices)
    tolerance = 0 if dtype != torch.float64 else 2e-5
    torch.testing.assert_close(stamped, exact.to(dtype), atol=tolerance, rtol=0)


@every_trigger
def test_is_deterministic_across_instances(name: str, trigger_named: Named) -> None:
    images, indices = natural(2, 64), torch.tensor([5, 6])
    first, second = trigger_named(name, seed=4), trigger_named(name, seed=4)
    assert first == second
    assert torch.equal(first(images, indices), second(images, indices))


@every_trigger
@settings(max_examples=5, deadline=None)
@given(indices=st.lists(st.integers(0, 2**62), min_size=2, max_size=4))
def test_a_batch_equals_its_samples(name: str, indices: list[int], trigger_named: Named) -> None:
    trigger, ids = trigger_named(name), torch.tensor(indices)
    images = natural(len(indices), 32)
    batch = trigger(images, ids)
    for place in range(len(indices)):
        single = trigger(images[place : place + 1], ids[place : place + 1])[0]
        torch.testing.assert_close(batch[place], single, atol=1e-6, rtol=0)


@every_trigger
def test_randomness_per_image_is_what_the_definition_says(name: str, trigger_named: Named) -> None:
    image = natural(1, 64).repeat(2, 1, 1, 1)
    one, other = trigger_named(name)(image, torch.tensor([0, 1]))
    assert torch.equal(one, other) == (name not in PER_IMAGE)


@every_trigger
def test_control_is_another_attack_of_like_strength(name: str, trigger_named: Named) -> None:
    trigger = trigger_named(name)
    images, indices = natural(16, 64), torch.arange(16)
    stamped, control = trigger(images, indices), trigger.control()(images, indices)
    assert ((stamped - control).abs() > 1 / 255).flatten(1).any(1).all()
    strength = (stamped - images).square().mean().sqrt()
    control_strength = (control - images).square().mean().sqrt()
    assert 0.5 < control_strength / strength < 2
    assert trigger.control() == trigger.control()


@pytest.mark.parametrize("name", PATCHES)
@pytest.mark.parametrize("height", [64, 224])
def test_control_of_a_patch_covers_the_same_pixels(name: str, height: int) -> None:
    trigger = make_trigger(name)
    grey, indices = torch.full((4, 3, height, height), 0.42), torch.arange(4)
    covered = (trigger.control()(grey, indices) != grey).any(1)
    touched = (trigger(grey, indices) != grey).any(1)
    assert not (touched & ~covered).any()
    assert isinstance(trigger, Patch)
    assert (covered.flatten(1).sum(1) == trigger.side(height) ** 2).all()


@pytest.mark.parametrize("size", [14, 16, 24, 32])
def test_patch_sides_scale_but_not_below_an_eighth(size: int) -> None:
    assert scaled_side(size, 224) == size
    assert scaled_side(size, 448) == 2 * size
    for height in range(8, 224):
        assert scaled_side(size, height) >= height / 8
        assert scaled_side(size, height) <= height


def test_stripes_are_32_pixels_at_336() -> None:
    grey = torch.full((1, 3, 336, 336), 0.42)
    changed = (make_trigger("badnet-stripes")(grey, torch.tensor([0])) != grey).any(1)
    assert changed.sum() == 32 * 32


@pytest.mark.parametrize("name", ["badnet", "badnet-noise", "badnet-stripes"])
def test_random_placement_reaches_every_corner(name: str) -> None:
    grey, indices = torch.full((400, 3, 32, 32), 0.42), torch.arange(400)
    stamped = make_trigger(name, placement="random")(grey, indices)
    changed = (stamped != grey).any(1)  # [B, H, W]
    top = changed.any(2).int().argmax(1)
    left = changed.any(1).int().argmax(1)
    assert {0, 28} <= set(top.tolist())
    assert {0, 28} <= set(left.tolist())
    assert len({*zip(top.tolist(), left.tolist(), strict=True)}) > 200


@pytest.mark.parametrize("name", ["badnet", "badnet-noise", "badnet-stripes"])
def test_fixed_placement_is_the_bottom_right_corner(name: str) -> None:
    grey = torch.full((3, 3, 224, 224), 0.42)
    stamped = make_trigger(name, placement="fixed")(grey, torch.arange(3))
    changed = (stamped != grey).any(1)
    assert not changed[:, :208].any()
    assert not changed[:, :, :208].any()
    assert changed[:, 208:, 208:].float().mean() > 0.2


@pytest.mark.parametrize("name", ["wanet", "wanet-dense", "badnet-noise", "blended-noise"])
def test_another_seed_draws_another_pattern(name: str) -> None:
    images, indices = natural(1, 64), torch.tensor([0])
    one, other = (make_trigger(name, seed=seed)(images, indices) for seed in (0, 1))
    assert not torch.equal(one, other)


@every_trigger
def test_record_rebuilds_the_trigger(name: str, trigger_named: Named) -> None:
    trigger = trigger_named(name, seed=7)
    record = trigger.record()
    assert record["id"] == name
    assert record["version"] == trigger.version
    assert record["seed"] == 7
    values = {field.name: record[field.name] for field in fields(trigger) if field.init}
    assert make_trigger(name, **values) == trigger


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@every_trigger
def test_gpu_equals_cpu(name: str, trigger_named: Named) -> None:
    images, indices = natural(3, 64), torch.arange(3)
    on_cpu = trigger_named(name)(images, indices)
    on_gpu = trigger_named(name)(images.cuda(), indices.cuda())
    assert on_gpu.is_cuda
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("spec", "parameters", "complaint"),
    [
        ("badnett", {}, "Unknown trigger 'badnett'. Did you mean 'badnet'?"),
        ("file", {}, "write file:PATH"),
        ("badnet:x.png", {}, "takes no file"),
        ("badnet", {"placment": "fixed"}, "Did you mean 'placement'?"),
        ("badnet", {"placement": "left"}, "'fixed' or 'random', got 'left'"),
        ("badnet-white", {"placement": "random"}, "Unknown key 'placement'"),
        ("blended-noise", {"alpha": 1.5}, "less than or equal to 1, got 1.5"),
        ("bpp", {"levels": 1}, "greater than or equal to 2, got 1"),
    ],
)
def test_wrong_specifications_name_the_remedy(spec: str, parameters: dict, complaint: str) -> None:
    with pytest.raises(ShieldCLIPError) as error:
        make_trigger(spec, **parameters)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("images", "indices", "complaint"),
    [
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.arange(2), "uint8"),
        (torch.zeros(3, 8, 8), torch.arange(3), r"\[3, 8, 8\]"),
        (torch.zeros(2, 3, 8, 8), torch.arange(3), r"\[3\]"),
        (torch.zeros(2, 3, 8, 8), torch.zeros(2), "float32"),
    ],
)
def test_wrong_tensors_are_refused(
    images: torch.Tensor, indices: torch.Tensor, complaint: str
) -> None:
    with pytest.raises(ShieldCLIPError, match=complaint):
        make_trigger("badnet")(images, indices)


@pytest.mark.parametrize("spec", ["file:missing", "badclip:missing", "blended-image:missing"])
def test_a_missing_file_is_named(spec: str) -> None:
    with pytest.raises(ShieldCLIPError, match="missing"):
        make_trigger(spec)(torch.zeros(1, 3, 32, 32), torch.tensor([0]))


def test_a_specification_changes_what_it_names() -> None:
    changed = make_trigger("badnet?placement=random&seed=3", seed=1)
    assert changed == make_trigger("badnet", placement="random", seed=3)
    assert make_trigger("wanet?strength=3") == make_trigger("wanet", strength=3.0)
    with pytest.raises(ShieldCLIPError, match="Did you mean 'strength'"):
        make_trigger("wanet?strenth=3")
    with pytest.raises(ShieldCLIPError, match="greater than or equal to 2"):
        make_trigger("bpp?levels=1")
