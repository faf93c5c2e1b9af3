"""How poisons are chosen."""

from __future__ import annotations

from dataclasses import dataclass

from shieldclip.adversary.choice.forms import FORMS
from shieldclip.errors import ShieldCLIPError, unknown_name

AGAINST = {
    "knowledge": "adaptive-knowledge",
    "matching": "adaptive-matching",
    "both": "adaptive-both",
}
"""What the poisons adapt to -> id of the poison that reads the choice."""


@dataclass(frozen=True, kw_only=True)
class ChoiceSettings:
    """Settings of one choice.

    Attributes:
        target: class that triggered images shall be taken for.
        against: a key of `AGAINST`.
        forms: keys of `FORMS`: ways to write captions, of which each picture gets the best.
        among: pictures to choose among, a random sample; the attacker's budget of looks.
        pool: captions that the defender compares with, a random sample.
        candidates: of these, how many nearest by global cosine are compared by transport.
        alpha: share of the global features in the distance.
        epsilon: entropy of the transport.
        batch_size: pictures or texts encoded at once.
        seed: of the samples.
    """

    target: str
    against: str = "both"
    forms: tuple[str, ...] = tuple(FORMS)
    among: int = 4096
    pool: int = 16_384
    candidates: int = 64
    alpha: float = 0.5
    epsilon: float = 0.05
    batch_size: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse unknown names and numbers that leave nothing to choose from.

        Raises:
            ShieldCLIPError: a value that does not fit.
        """
        if self.against not in AGAINST:
            raise unknown_name("defence to adapt to", self.against, AGAINST)
        for form in self.forms:
            if form not in FORMS:
                raise unknown_name("form of captions", form, FORMS)
        if not self.forms or self.among < 1 or self.batch_size < 1:
            raise ShieldCLIPError(
                f"Expected forms, and among and batch_size above 0, got {self.forms}, "
                f"{self.among} and {self.batch_size}; leave them out for the defaults."
            )
