"""Optimise a patch against a checkpoint: Adam on pixels, the best state by held-out pictures."""

from __future__ import annotations

import math
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


@dataclass(frozen=True)
class Reach:
    """How far a patch takes held-out pictures, none of which shows the target."""

    success: float
    """Share that is taken for the target."""
    lead: float
    """Mean of `Goal.lead`, which tells patches apart that take no picture all the way."""
    pictures: int
    """How many; they chose the state, so that both figures flatter a little."""


@dataclass(frozen=True, eq=False)
class FoundPatch:
    """A patch, and how far it reaches without any poison."""

    pixels: Tensor
    """``[3, S, S]`` in ``[0, 1]``, in steps of 1/255, on the CPU."""
    reach: Reach
    control: Reach
    """Of random patches of the same size at the same place."""
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
    reach = _reach(encoder, patch, material)
    control = _reach(encoder, patch.control(), material)
    facts = {
        "target": target,
        "reach": asdict(reach),
        "control": asdict(control),
        **origin(source, encoder),
        "settings": asdict(settings),
    }
    return FoundPatch(pixels.cpu(), reach, control, facts)


def _optimise(encoder: Encoder, material: Material, settings: PatchSettings) -> Tensor:
    """The state with the largest lead on held-out pictures."""
    generator = torch.Generator().manual_seed(settings.seed)
    pixels = _start(encoder, generator).requires_grad_()
    adam = torch.optim.Adam([pixels], lr=settings.learning_rate)
    clean = encode(encoder, material.training)
    best, best_lead = _rounded(pixels), -math.inf
    every = max(1, settings.steps // CHECKS)
    with progress_bar("optimising the patch", settings.steps) as advance:
        for step in range(1, settings.steps + 1):
            rows = torch.randint(len(clean), (settings.batch_size,), generator=generator)
            images = material.training[rows].to(encoder.device).float() / 255
            stamped = encoder.encode_image(LearnedPatch(pixels=pixels)(images, rows))
            there = rows.to(clean.device)
            loss = patch_loss(stamped, clean[there], material.goal, settings, generator)
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
            pixels.data.clamp_(0, 1)
            if step % every == 0 or step == settings.steps:
                state = _rounded(pixels)
                lead = _reach(encoder, LearnedPatch(pixels=state), material).lead
                if lead > best_lead:
                    best, best_lead = state, lead
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
def _reach(encoder: Encoder, trigger: Trigger, material: Material) -> Reach:
    """Of a trigger on the held-out pictures."""
    leads = []
    rows = torch.arange(len(material.validation))
    for part in torch.split(rows, BATCH):
        images = material.validation[part].to(encoder.device).float() / 255
        stamped = encoder.encode_image(trigger(images, part))
        leads.append(material.goal.lead(stamped))
    lead = torch.cat(leads)
    return Reach(float((lead > 0).double().mean()), float(lead.mean()), len(lead))
