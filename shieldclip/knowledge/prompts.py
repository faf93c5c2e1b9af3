"""The questions that language models are asked, each under a name that is recorded with answers.

A prompt is never edited: changed words get a new name, so that rows say what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from shieldclip.errors import unknown_name


@dataclass(frozen=True)
class Prompt:
    """An instruction, examples, and the words in front of text and answer."""

    name: str
    instruction: str
    asks: str
    """Word in front of the text, e.g. ``Object``."""
    replies: str
    """Words in front of the answer."""
    examples: Mapping[str, tuple[str, ...]]
    """Text -> elements, of things that ordinary data sets do not name."""

    def completion(self, text: str) -> str:
        """One string that a model continues with elements, separated by commas, to the line's end.

        All texts share everything up to the last question.
        """
        shots = [self._shot(thing, elements) for thing, elements in self.examples.items()]
        return "\n\n".join([self.instruction, *shots, f"{self.asks}: {text}\n{self.replies}:"])

    def messages(self, text: str) -> list[dict[str, str]]:
        """The same as a chat: the examples are earlier turns."""
        chat = [{"role": "system", "content": self.instruction}]
        for thing, elements in self.examples.items():
            chat.append({"role": "user", "content": f"{self.asks}: {thing}"})
            chat.append({"role": "assistant", "content": ", ".join(elements)})
        return [*chat, {"role": "user", "content": f"{self.asks}: {text}"}]

    @cached_property
    def example_elements(self) -> frozenset[str]:
        """All elements of the examples; a model likes to copy them."""
        return frozenset(element for elements in self.examples.values() for element in elements)

    def _shot(self, thing: str, elements: tuple[str, ...]) -> str:
        return f"{self.asks}: {thing}\n{self.replies}: {', '.join(elements)}"


_INSTRUCTION = (
    "Name what can be seen of a thing: its colour, shape, parts, material and kind. "
    "Answer with five short phrases, separated by commas."
)

PROMPTS = {
    prompt.name: prompt
    for prompt in (
        Prompt(
            name="objects-v1",
            instruction=_INSTRUCTION,
            asks="Object",
            replies="Visual properties",
            examples={
                "lighthouse": ("tall tower", "red bands", "bright lamp", "white walls"),
                "sparrow": ("brown feathers", "short beak", "two thin legs", "small songbird"),
                "wheelbarrow": ("metal tray", "single wheel", "two long handles", "garden tool"),
                "asparagus": ("green stalks", "pointed tips", "thin and straight", "edible stem"),
                "armchair": ("padded seat", "soft cushions", "wooden legs", "indoor furniture"),
                "walrus": ("white tusks", "thick wrinkled skin", "gray flippers", "sea creature"),
                "notepad": ("lined sheets", "rectangular shape", "cardboard back", "paper product"),
                "turban": ("wrapped cloth", "folded layers", "covers the head", "worn garment"),
            },
        ),
        Prompt(
            name="captions-v1",
            instruction=(
                "Name what can be seen of the things in a caption: colours, shapes, parts, "
                "materials and kinds. Answer with five short phrases, separated by commas."
            ),
            asks="Caption",
            replies="Visual properties",
            examples={
                "A lighthouse at sunset": (
                    "tall tower",
                    "bright lamp",
                    "orange sky",
                    "rocky coast",
                ),
                "two sparrows on a fence": ("brown feathers", "short beaks", "wooden posts"),
                "An old man asleep in an armchair": ("padded seat", "closed eyes", "gray hair"),
                "a walrus swims near some ice": ("white tusks", "wrinkled skin", "cold water"),
                "notepad, pens and a lamp on a desk": ("lined sheets", "thin metal tips"),
                "a woman pushes a wheelbarrow": ("single wheel", "two long handles", "garden tool"),
            },
        ),
    )
}
"""Prompts by name."""


def find_prompt(name: str) -> Prompt:
    """The prompt of that name.

    Raises:
        ShieldCLIPError: there is none.
    """
    if name not in PROMPTS:
        raise unknown_name("prompt", name, PROMPTS)
    return PROMPTS[name]
