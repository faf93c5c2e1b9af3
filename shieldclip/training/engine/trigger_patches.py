"""How much of an image's attention lies on the trigger: a diagnostic that no defence sees."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from shieldclip.attacks.triggers import Trigger

_VISIBLE = 1 / 255
_MOST = 0.5  # of the image; a trigger that covers more has no place of its own


@dataclass(frozen=True)
class TriggerPatches:
    """Where a trigger lies, as long as augmentation moves nothing."""

    trigger: Trigger
    image_size: int
    """At which pictures were stamped."""
    grid: int
    """Patches per side, √P."""

    def attention(
        self, attention: Tensor, rows: Tensor, poisoned: Tensor, patch_index: Tensor | None
    ) -> Tensor:
        """Share of attention on the trigger's patches.

        Args:
            attention: ``[B, K]``, sums to 1.
            rows: ``[B]``, sample ids that pictures were stamped with.
            poisoned: ``[B]`` bool.
            patch_index: ``[B, K]``, the patches that were seen; all unless given.

        Returns:
            ``[B]``, NaN for pictures without a trigger, or one that covers most of them.
        """
        shares = torch.full_like(attention[:, 0], torch.nan)
        if poisoned.any():
            covered = self.covered(rows[poisoned].cpu()).to(attention.device)  # [B', P]
            everywhere = covered.float().mean(dim=-1) > _MOST
            if patch_index is not None:
                covered = covered.gather(1, patch_index[poisoned])
            paid = (attention[poisoned] * covered).sum(dim=-1)
            shares[poisoned] = paid.masked_fill(everywhere, torch.nan)
        return shares

    def covered(self, rows: Tensor) -> Tensor:
        """Sample ids ``[B]`` -> ``[B, P]`` bool, patches that the trigger changes on grey."""
        grey = torch.full((len(rows), 3, self.image_size, self.image_size), 0.5)
        changed = (self.trigger(grey, rows) - grey).abs().amax(dim=1, keepdim=True) > _VISIBLE
        return adaptive_max_pool2d(changed.float(), self.grid).flatten(1) > 0
