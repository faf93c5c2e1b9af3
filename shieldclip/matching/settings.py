"""What a matching is told."""

from __future__ import annotations

from dataclasses import dataclass

from shieldclip.errors import ShieldCLIPError


@dataclass(frozen=True, kw_only=True)
class MatchSettings:
    """Settings of one matching.

    Attributes:
        alpha: α in [0, 1] of ``d = α (1 - cos) + (1 - α) <T_ε, C>``: the share of the global
            features.
        epsilon: ε > 0 of the transport, in units of the cost (1 - cosine).
        pool: captions to choose from, a random sample of the different ones; all unless given.
        candidates: compare only this many captions of highest global cosine (approximate).
        centring: share in [0, 1] of how near a caption is to any picture that counts against it:
            for models that have learned little yet. See `centre`.
        threshold: risk in (0, 1] from which a pair is distrusted.
        keep_risky: give every distrusted pair its new caption, instead of dropping those that no
            caption fits.
        seed: of the sample and the mixture.
        backend: of the search: ``auto``, ``native``, ``torch`` or ``triton``.
    """

    alpha: float = 0.5
    epsilon: float = 0.05
    pool: int | None = None
    candidates: int | None = None
    centring: float = 0.0
    threshold: float = 0.5
    keep_risky: bool = False
    seed: int = 0
    backend: str = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise _out_of_range("alpha", "in [0, 1]", self.alpha)
        if not 0 <= self.centring <= 1:
            raise _out_of_range("centring", "in [0, 1]", self.centring)
        if self.centring and not self.alpha:
            raise _out_of_range("alpha", "above 0 with centring", self.alpha)
        if not self.epsilon > 0:
            raise _out_of_range("epsilon", "above 0", self.epsilon)
        if not 0 < self.threshold <= 1:
            raise _out_of_range("threshold", "in (0, 1]", self.threshold)
        if self.pool is not None and self.pool < 2:
            raise _out_of_range("pool", "of at least 2 captions", self.pool)
        if self.candidates is not None and self.candidates < 1:
            raise _out_of_range("candidates", "of at least 1 caption", self.candidates)

    @property
    def search_key(self) -> dict[str, object]:
        """What distances depend on, as plain values."""
        return {
            "alpha": self.alpha,
            "epsilon": self.epsilon,
            "pool": self.pool,
            "candidates": self.candidates,
            "centring": self.centring,
            "seed": self.seed,
        }


def _out_of_range(name: str, expected: str, got: float) -> ShieldCLIPError:
    return ShieldCLIPError(f"Expected {name} {expected}, got {got}; leave it out for the default.")
