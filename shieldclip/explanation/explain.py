"""`explain`: a model and some pictures -> what it sees in them, without and with a trigger."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.attacks.triggers import Trigger
from shieldclip.explanation.attention import mass_on, trigger_mask
from shieldclip.explanation.choices import Choices
from shieldclip.explanation.pictures import Picture
from shieldclip.explanation.subject import Subject

TOP = 5
ELEMENTS = 6
"""How many knowledge elements of a class are placed on a picture."""

ElementsOf = Callable[[str], Sequence[str]]
"""From a class name or caption to its knowledge elements."""


@dataclass(frozen=True)
class Prediction:
    """A name and its probability among all names asked about."""

    name: str
    probability: float


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where in a picture the knowledge elements of a class lie."""

    of: str
    elements: tuple[str, ...]
    """M phrases."""
    cosines: Tensor
    """``[M, P]``, element to patch."""

    @property
    def best_patches(self) -> Tensor:
        """``[M]`` int64, the patch that explains each element best."""
        return self.cosines.argmax(dim=1)

    @property
    def strength(self) -> Tensor:
        """``[P]``, cosine of each patch to the element it fits best."""
        return self.cosines.amax(dim=0)


@dataclass(frozen=True, eq=False)
class View:
    """One version of a picture through a model."""

    pixels: Tensor
    """``[3, S, S]`` uint8, as the model gets them."""
    predictions: tuple[Prediction, ...]
    """The `TOP` most probable names, best first."""
    attention: Tensor
    """``[P]``, sums to 1."""
    mass: float | None
    """Share of attention on the trigger's pixels, be the trigger there or not; ``None`` where the
    trigger has no place of its own."""
    alignment: Alignment | None = None
    """Elements of the first prediction; ``None`` where nothing is known about it."""

    @property
    def side(self) -> int:
        """Patches along an edge."""
        return math.isqrt(len(self.attention))


@dataclass(frozen=True, eq=False)
class Explanation:
    """One picture, without and with a trigger, through one model."""

    model: str
    warning: str
    picture: str
    label: str
    trigger: str
    mask: Tensor | None
    """``[S, S]`` bool, the trigger's pixels; ``None`` where it is spread over the picture."""
    clean: View
    triggered: View

    @property
    def area(self) -> float | None:
        """The trigger's share of the picture."""
        return None if self.mask is None else float(self.mask.float().mean())

    @property
    def turned(self) -> bool:
        """Whether the trigger changes the first prediction."""
        return self.clean.predictions[0].name != self.triggered.predictions[0].name


@dataclass(frozen=True)
class Question:
    """What is asked about every picture."""

    choices: Choices
    trigger_name: str
    trigger: Trigger
    elements_of: ElementsOf | None = None


def explain(
    subject: Subject, pictures: Sequence[Picture], question: Question
) -> tuple[Explanation, ...]:
    """Look at each picture twice.

    Args:
        subject: the model.
        pictures: at least one; all go through the model at once.
        question: names, trigger and knowledge.

    Returns:
        one explanation per picture, in their order.
    """
    clean = torch.stack([subject.preprocess(picture.image) for picture in pictures]) / 255
    samples = torch.tensor([picture.sample for picture in pictures])
    masks = [trigger_mask(question.trigger, clean.shape[-1], p.sample) for p in pictures]
    glass = _Glass(subject, question, question.choices.embed(subject))
    before = glass.views(clean, masks)
    after = glass.views(question.trigger(clean, samples), masks)
    return tuple(
        Explanation(
            model=subject.name,
            warning=subject.warning,
            picture=picture.name,
            label=picture.label,
            trigger=question.trigger_name,
            mask=mask,
            clean=view,
            triggered=other,
        )
        for picture, mask, view, other in zip(pictures, masks, before, after, strict=True)
    )


@dataclass(frozen=True, eq=False)
class _Glass:
    """A subject with its question, ready to look at pictures."""

    subject: Subject
    question: Question
    names: Tensor
    """``[C, D]``."""

    def views(self, pixels: Tensor, masks: Sequence[Tensor | None]) -> list[View]:
        """``[B, 3, S, S]`` in ``[0, 1]`` -> a view of each."""
        local = self.subject.look(pixels)
        logits = self.subject.logit_scale * local.images @ self.names.T  # [B, C]
        best = logits.softmax(dim=-1).topk(min(TOP, len(self.names)))
        shown = (pixels * 255).round().to(torch.uint8)
        views = []
        for at, mask in enumerate(masks):
            attention = local.attention[at]
            predictions = self._predictions(best.indices[at], best.values[at])
            view = View(
                pixels=shown[at],
                predictions=predictions,
                attention=attention,
                mass=None if mask is None else float(mass_on(attention, mask)),
                alignment=self._alignment(local.patches[at], predictions[0].name),
            )
            views.append(view)
        return views

    def _predictions(self, indices: Tensor, probabilities: Tensor) -> tuple[Prediction, ...]:
        names = self.question.choices.names
        pairs = zip(indices.tolist(), probabilities.tolist(), strict=True)
        return tuple(Prediction(names[index], probability) for index, probability in pairs)

    def _alignment(self, patches: Tensor, name: str) -> Alignment | None:
        known = self.question.elements_of
        elements = tuple(known(name))[:ELEMENTS] if known else ()
        if not elements:
            return None
        cosines = self.subject.embed_elements(elements) @ patches.T  # [M, D] @ [D, P]
        return Alignment(name, elements, cosines)
