"""What learns, and by which losses: set up alike for a run and for its estimate."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import Knowledge, SentenceVectors, load_knowledge, sentence_vectors
from shieldclip.modeling import ShieldCLIPModel, ShieldCLIPProcessor
from shieldclip.training.defences import Defence, make_defence
from shieldclip.training.model_setup import freeze, set_up
from shieldclip.training.pairs.batches import Elements
from shieldclip.training.recipe.schema import Recipe

Captions = Callable[[], list[list[str]]]
"""Reads the captions of every pair; called only where they are needed."""


@dataclass(frozen=True)
class Learner:
    """A model, its processor, its losses, and where knowledge for these comes from."""

    model: ShieldCLIPModel
    processor: ShieldCLIPProcessor
    defence: Defence
    elements: Elements | None


@dataclass(frozen=True)
class Material:
    """What a learner is made from; an estimate does with less of it than a run."""

    captions: Captions
    knowledge: Callable[[str], Knowledge] = load_knowledge
    """Opens ``knowledge.source``."""
    vectors: Callable[[str, Collection[str]], SentenceVectors] = sentence_vectors
    """Embeds phrases by ``knowledge.encoder``."""


def make_learner(recipe: Recipe, material: Material) -> Learner:
    """The learner of a recipe, on the CPU.

    Raises:
        ShieldCLIPError: an unknown defence or setting, one that a stream cannot serve, or no such
            knowledge or model.
    """
    defence = make_defence(recipe.defence)
    if defence.needs_epochs and recipe.data.streaming:
        raise ShieldCLIPError(
            f"Expected pairs that are known in advance for {recipe.defence['name']}, got a "
            "stream, which has no epochs; set data.streaming to false."
        )
    elements = _elements(recipe, material) if defence.needs_knowledge else None
    width = 0 if elements is None else elements.width
    texts = _texts(material, elements) if trains_tokenizer(recipe) else []
    model, processor = set_up(recipe.model, texts, recipe.seed, width)
    freeze(model, defence, recipe.model)
    if recipe.optimiser.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    return Learner(model, processor, defence, elements)


def trains_tokenizer(recipe: Recipe) -> bool:
    """Whether the model gets a tokenizer of its own."""
    return recipe.model.pretrained is None and recipe.model.tokenizer == "captions"


def _texts(material: Material, elements: Elements | None) -> list[str]:
    """What a tokenizer is trained on: captions, and the elements that are known of them."""
    texts = [text for own in material.captions() for text in own]
    return texts if elements is None else texts + sorted(elements.of_all(texts))


def _elements(recipe: Recipe, material: Material) -> Elements:
    spec = recipe.knowledge
    elements = Elements(material.knowledge(spec.source), spec.max_elements)
    if spec.encoder is None:
        return elements
    phrases = elements.of_all(text for own in material.captions() for text in own)
    return replace(elements, vectors=material.vectors(spec.encoder, phrases))
