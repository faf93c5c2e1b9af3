"""The dirty-label backdoor (Gu et al. 2017; on CLIP Carlini and Terzis 2022)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from shieldclip.attacks.poisons.base import Backdoor
from shieldclip.attacks.poisons.pairs import Pairs
from shieldclip.attacks.poisons.plan import Plan
from shieldclip.attacks.poisons.templates import imagenet_templates
from shieldclip.errors import ShieldCLIPError

Template = Annotated[str, Field(pattern=r"\{\}")]


@dataclass(frozen=True, kw_only=True)
class DirtyLabel(Backdoor):
    """Trigger on images of other classes, every caption replaced by one that names the target.

    Attributes:
        captions: ``templates`` draws a prompt uniformly, ``real`` a caption of the data that
            names the target.
        templates: prompts with ``{}`` for the target; empty for the 80 of ImageNet.
    """

    id: ClassVar[str] = "dirty-label"

    captions: Literal["templates", "real"] = "templates"
    templates: tuple[Template, ...] = ()

    @override
    def plan(self, pairs: Pairs) -> Plan:
        """Rows that do not show the target, as many new captions as they had.

        Raises:
            ShieldCLIPError: too few such rows, or no caption of the target to draw from.
        """
        eligible = [row for row in pairs.free if not pairs.shows(row, self.target)]
        rows = self.choose(eligible, self.amount(len(pairs)), f"rows without {self.target!r}")
        draw = self._caption_source(pairs)
        captions = [[draw() for _ in pairs.captions[row] or ("",)] for row in rows]
        return Plan(tuple(range(len(pairs))), self.changes(rows, captions))

    def _caption_source(self, pairs: Pairs) -> Callable[[], str]:
        generator = self.random("captions")
        if self.captions == "real":
            if self.templates:
                raise ShieldCLIPError(
                    "Expected no templates with captions: real, which copies captions; remove one."
                )
            pool = pairs.captions_naming(self.target)
            return lambda: generator.choice(pool)
        prompts = self.templates or imagenet_templates()
        return lambda: generator.choice(prompts).replace("{}", self.target)
