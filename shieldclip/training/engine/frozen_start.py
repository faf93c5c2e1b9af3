"""The model as it was before its first step, for defences that move away from it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor

from shieldclip.modeling import ShieldCLIPModel


class FrozenStart:
    """A frozen copy of a model: its weights once more in memory, without gradients or moments.

    Nothing of it is saved. A resumed run builds the model from its recipe again before it loads
    what was learned, and the copy is taken in between.
    """

    def __init__(self, model: ShieldCLIPModel) -> None:
        """Copy the model as it is, to the same device."""
        self._model = deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def embed(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What it makes of the pictures and captions that the trained model sees.

        Args:
            inputs: of the model; knowledge elements are left out.

        Returns:
            ``start_images`` and ``start_texts``, ``[B, D]`` unit norm.
        """
        pairs = {name: value for name, value in inputs.items() if not name.startswith("element_")}
        # Only the call with local features can drop patches.
        output = self._model(**pairs, output_local="patch_index" in pairs)
        return {"start_images": output.image_embeds, "start_texts": output.text_embeds}
