"""Optimise a patch against a checkpoint: Adam on pixels, the best state by held-out pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor
from typing_extensions import override

from shieldclip.adversary.patch.material import BATCH, Material, encode, gather_material
from shieldclip.adversary.patch.objective import patch_loss
from shieldclip.adversary.patch.settings import PatchSettings
from shieldclip.adversary.pictures import origin
from shieldclip.attacks.triggers.base import Trigger
from shieldclip.attacks.triggers.centred import CentredPatch
from shieldclip.attacks.triggers.patch import scaled_side
from shieldclip.data.source import Source
from shieldclip.progress import progress_bar
from shieldclip.types import Encoder

CHECKS = 10
"""Looks at the held-out pictures during a search."""


@dataclass(frozen=True, eq=False)
class LearnedPatch(CentredPatch):
    """The patch while it is being optimised; gradient reaches ``pixels`` [3, S, S]."""

    pixels: Tensor = field(kw_only=True)

    @override
    def draw(self, under: Tensor, images: Tensor, indices: Tensor) -> Tensor:
        """``[3, S, S]``, the same for all."""
        return self.pixels


@dataclass(frozen=True, eq=False)
class FoundPatch:
    """A patch, and how far it reaches without any poison."""

    pixels: Tensor
    """``[3, S, S]`` in ``[0, 1]``, in steps of 1/255, on the CPU."""
    success: float
    """Share of the held-out pictures, none of the target, that are taken for the target."""
    control: float
    """The same share with random patches of the same size at the same place."""
    validated: int
    """Held-out pictures; they chose the state, so `success` flatters a little."""
    facts: dict[str, object]
    """All of this, the model, the data and the settings, for the file."""


def find_patch(
    source: Source, encoder: Encoder, target: str, settings: PatchSettings | None = None
) -> FoundPatch:
    """Find a patch that moves pictures of other classes towards the target.

    Args:
        source: pictures with captions or labels.
        encoder: the model; a clean one, as the attacker has before the poisoning.
        target: a class of the source, or a word of its captions.
        settings: how; the defaults unless given.

    Raises:
        ShieldCLIPError: no picture or text of the target, or too few others.
    """
    settings = settings or PatchSettings()
    material = gather_material(source, encoder, target, settings.validation, settings.seed)
    pixels = _optimise(encoder, material, settings)
    patch = LearnedPatch(pixels=pixels)
    success = _success(encoder, patch, material)
    control = _success(encoder, patch.control(), material)
    facts = {
        "target": target,
        "success": success,
        "control": control,
        "validated": len(material.validation),
        **origin(source, encoder),
        "settings": asdict(settings),
    }
    return FoundPatch(pixels.cpu(), success, control, len(material.validation), facts)


def _optimise(encoder: Encoder, material: Material, settings: PatchSettings) -> Tensor:
    """The state that takes most held-out pictures to the target; of equal ones the latest."""
    generator = torch.Generator().manual_seed(settings.seed)
    pixels = _start(encoder, generator).requires_grad_()
    adam = torch.optim.Adam([pixels], lr=settings.learning_rate)
    clean = encode(encoder, material.training)
    best, best_success = _rounded(pixels), -1.0
    every = max(1, settings.steps // CHECKS)
    with progress_bar("optimising the patch", settings.steps) as advance:
        for step in range(1, settings.steps + 1):
            rows = torch.randint(len(clean), (settings.batch_size,), generator=generator)
            images = material.training[rows].to(encoder.device).float() / 255
            stamped = encoder.encode_image(LearnedPatch(pixels=pixels)(images, rows))
            there = rows.to(clean.device)
            loss = patch_loss(stamped, clean[there], material.goal, settings, generator)
            adam.zero_grad()
            loss.backward()
            adam.step()
            pixels.data.clamp_(0, 1)
            if step % every == 0 or step == settings.steps:
                state = _rounded(pixels)
                success = _success(encoder, LearnedPatch(pixels=state), material)
                if success >= best_success:
                    best, best_success = state, success
            advance(1)
    return best


def _start(encoder: Encoder, generator: torch.Generator) -> Tensor:
    """N(0.5, 0.25) within [0, 1], of the side that the trigger has on the model's pictures."""
    side = scaled_side(CentredPatch.size, encoder.image_size)
    noise = torch.randn(3, side, side, generator=generator)
    return (0.5 + 0.25 * noise).clamp(0, 1).to(encoder.device)


def _rounded(pixels: Tensor) -> Tensor:
    """As 8-bit files keep it."""
    return (pixels.detach() * 255).round() / 255


@torch.no_grad()
def _success(encoder: Encoder, trigger: Trigger, material: Material) -> float:
    """Share of the held-out pictures that the trigger takes to the target."""
    reached = 0
    rows = torch.arange(len(material.validation))
    for part in rows.split(BATCH):
        images = material.validation[part].to(encoder.device).float() / 255
        stamped = encoder.encode_image(trigger(images, part))
        reached += int(material.goal.reached(stamped).sum())
    return reached / len(rows)
