"""What a nearest-caption search is told, whichever backend runs it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True)
class SearchSettings:
    """Settings of one search; the distance is ``α (1 - cos) + (1 - α) <T_ε, C>``.

    Attributes:
        epsilon: Entropic regularisation ε > 0, in units of the cost (1 - cosine, 0 to 2).
        tolerance: A problem stops when the L1 error of its row sums is below this.
        max_iterations: A problem stops here at the latest and is counted as unconverged.
        global_weight: α in [0, 1], the share of the cosine of the global features.
    """

    epsilon: float = 0.05
    tolerance: float = 1e-4
    max_iterations: int = 1000
    global_weight: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epsilon", "tolerance", "max_iterations"):
            if not getattr(self, name) > 0:
                raise ShieldCLIPError(
                    f"Expected {name} above 0, got {getattr(self, name)}; "
                    f"the default is {SearchSettings.__dataclass_fields__[name].default}."
                )
        if not 0 <= self.global_weight <= 1:
            raise ShieldCLIPError(
                f"Expected global_weight between 0 (transport only) and 1 (global cosine only), "
                f"got {self.global_weight}."
            )

    @property
    def slack(self) -> float:
        """Captions this close to the best are compared again in float64.

        The largest error of a distance seen is 0.4 of the tolerance; two of them are compared.
        """
        return max(2e-5, self.tolerance)


@dataclass(frozen=True, eq=False)
class GlobalFeatures:
    """One unit vector per image ``[I, G]`` and per caption ``[N, G]``."""

    images: Tensor
    texts: Tensor
