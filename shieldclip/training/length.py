"""How many steps a run has."""

from __future__ import annotations

from dataclasses import dataclass

from shieldclip.errors import ShieldCLIPError
from shieldclip.training.recipe.schema import Recipe


@dataclass(frozen=True)
class Length:
    """How long a run is."""

    batches_per_epoch: int
    steps: int

    @classmethod
    def of(cls, recipe: Recipe, pairs: int | None) -> Length:
        """From the number of pairs that can be read, if it is known.

        Raises:
            ShieldCLIPError: fewer pairs than a batch, or a run of no step.
        """
        settings = recipe.optimiser
        if pairs is None and settings.epochs is not None:
            raise ShieldCLIPError(
                "Expected data.pairs, the number of pairs of an epoch of a stream, got none; "
                "set it, or optimiser.samples instead of epochs."
            )
        batches = (pairs or settings.samples or 0) // settings.batch_size
        if batches == 0:
            raise ShieldCLIPError(
                f"Expected at least one batch of {settings.batch_size} pairs, got {pairs}; "
                "lower optimiser.batch_size."
            )
        if settings.epochs is not None:
            steps = settings.epochs * -(-batches // settings.accumulation)
        else:
            steps = (settings.samples or 0) // (settings.batch_size * settings.accumulation)
        if steps == 0:
            raise ShieldCLIPError(
                f"Expected at least one step, got samples={settings.samples} of batches of "
                f"{settings.batch_size}; raise optimiser.samples."
            )
        return cls(batches, steps)
