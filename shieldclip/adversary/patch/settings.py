"""How a patch is optimised."""

from __future__ import annotations

from dataclasses import dataclass

from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True, kw_only=True)
class PatchSettings:
    """Settings of one search.

    The authors take steps of 0.001 and weigh the triplet 500 times (Liang et al., CVPR 2024); equal
    weights, and fewer and longer steps, are ours.

    Attributes:
        steps: of Adam.
        batch_size: pictures per step.
        learning_rate: in units of pixel values in [0, 1].
        text: weight of InfoNCE towards captions of the target.
        image: weight of the squared distance to pictures of the target.
        triplet: weight of the triplet loss against the clean picture.
        margin: of the triplet, in distances of unit vectors.
        validation: share of the pictures that choose among states and are never trained on.
        seed: of the start, of the split and of the batches.
    """

    steps: int = 200
    batch_size: int = 64
    learning_rate: float = 0.05
    text: float = 1.0
    image: float = 1.0
    triplet: float = 1.0
    margin: float = 1.0
    validation: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that no search can use.

        Raises:
            ShieldCLIPError: a value out of range.
        """
        for name in ("steps", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ShieldCLIPError(
                    f"Expected {name} above 0, got {getattr(self, name)}; leave it out for the "
                    "default."
                )
        if not 0 < self.validation < 1:
            raise ShieldCLIPError(
                f"Expected validation in (0, 1), got {self.validation}; 0.2 is the default."
            )
