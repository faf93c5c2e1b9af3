"""What a defence by knowledge would say: the rank of a caption's elements on its picture.

The attacker rebuilds the evidence of `semantic-shield-plus` (docs/semantic-shield.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from shieldclip.adversary.choice.candidates import Candidate
from shieldclip.adversary.choice.suspicion import Verdict
from shieldclip.errors import ShieldCLIPError
from shieldclip.knowledge import Knowledge
from shieldclip.matching import ImageFeatures
from shieldclip.types import Encoder

MOST_RIVALS = 2048
"""Captions that a candidate's competes with; the batch of a training has fewer."""


@dataclass(frozen=True)
class Elements:
    """Knowledge about some captions as tables of U different phrases."""

    knowledge: Knowledge
    phrases: tuple[str, ...]

    @classmethod
    def of(cls, knowledge: Knowledge, captions: Iterable[str]) -> Elements:
        """The elements of all these captions."""
        found = (phrase for caption in captions for phrase in knowledge.of_caption(caption))
        return cls(knowledge, tuple(dict.fromkeys(found)))

    def table(self, captions: Sequence[Sequence[str]]) -> Tensor:
        """``[n, U]`` bool: the elements of n rows of captions."""
        place = {phrase: column for column, phrase in enumerate(self.phrases)}
        table = torch.zeros(len(captions), len(place), dtype=torch.bool)
        for line, of_row in enumerate(captions):
            known = [phrase for caption in of_row for phrase in self.knowledge.of_caption(caption)]
            table[line, [place[phrase] for phrase in known]] = True
        return table


class KnowledgeJudge:
    """A `Judge` by knowledge.

    Args:
        encoder: the attacker's model.
        knowledge: the defender's, or what the attacker takes for it.
        candidates: all that will be seen.
        captions: of the data; those with equal elements compete once.
        seed: of the sample of captions to compete with.

    Raises:
        ShieldCLIPError: knowledge that knows none of the captions.
    """

    def __init__(
        self,
        encoder: Encoder,
        knowledge: Knowledge,
        candidates: Sequence[Candidate],
        captions: Sequence[str],
        seed: int,
    ) -> None:
        written = [caption for candidate in candidates for caption in candidate.captions]
        self._elements = Elements.of(knowledge, (*captions, *written))
        self._rivals = self._elements.table(_sample(knowledge, captions, seed))
        with torch.inference_mode():
            self._phrases = encoder.encode_text(self._elements.phrases).cpu()
        self._presence: list[Tensor] = []
        self._picture: list[Tensor] = []
        self._captions: list[tuple[str, ...]] = []

    def see(self, images: ImageFeatures, candidates: Sequence[Candidate], picture: Tensor) -> None:
        """Remember how much the pictures show every element."""
        self._picture.append(picture + sum(map(len, self._presence)))
        self._presence.append((images.patches @ self._phrases.T).amax(dim=1))  # [b, U]
        self._captions += [candidate.captions for candidate in candidates]

    def verdict(self) -> Verdict:
        """Rank, and among equal ranks how badly the elements fit."""
        own = self._elements.table(self._captions)
        presence, picture = torch.cat(self._presence), torch.cat(self._picture)
        rank, fit = knowledge_rank(presence, picture, own, self._rivals)
        return Verdict(("knowledge_rank", "knowledge_misfit"), (rank, -fit))


def knowledge_rank(
    presence: Tensor, picture: Tensor, own: Tensor, rivals: Tensor
) -> tuple[Tensor, Tensor]:
    """How the elements of N candidates rank on their pictures.

    Args:
        presence: ``[R, U]``: how much picture r shows element u, the best patch's cosine.
        picture: ``[N]`` int64: the picture of each candidate.
        own: ``[N, U]`` bool: elements of each candidate's captions.
        rivals: ``[Q, U]`` bool: elements of other captions, one at least in each.

    Returns:
        the share of rivals with other elements that the picture shows better (``[N]`` in [0, 1]; 1
        for a candidate without elements), and how much better than other pictures it shows the own
        ones (``[N]``).
    """
    centred = presence - presence.mean(dim=0)  # some elements fit every picture
    size, rival_size = own.sum(dim=1), rivals.sum(dim=1)
    fit = (centred[picture] * own).sum(dim=1) / size.clamp_min(1)
    share = rivals.to(centred.dtype) / rival_size[:, None]
    rival_fit = (centred @ share.T)[picture]  # [N, Q]
    overlap = own.float() @ rivals.float().T
    competing = (overlap != size[:, None]) | (overlap != rival_size)
    better = (rival_fit > fit[:, None]) & competing
    rank = better.sum(dim=1) / competing.sum(dim=1).clamp_min(1)
    return torch.where(size > 0, rank, 1.0), fit


def _sample(knowledge: Knowledge, captions: Sequence[str], seed: int) -> list[list[str]]:
    """Captions of different elements, one to a row."""
    of_elements = {knowledge.of_caption(caption): caption for caption in captions}
    known = [caption for elements, caption in of_elements.items() if elements]
    if not known:
        raise ShieldCLIPError(
            "Expected knowledge about the captions of these data, got no element for any of them; "
            "choose other knowledge with --knowledge."
        )
    draw = random.Random(f"rivals {seed}")
    return [[caption] for caption in draw.sample(known, min(len(known), MOST_RIVALS))]
