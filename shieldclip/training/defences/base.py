"""What every defence is: a say in which pairs are trained, and in what their loss is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from pydantic import ConfigDict
from torch import Tensor

from shieldclip.matching import ImageFeatures, TextFeatures
from shieldclip.modeling import ShieldCLIPOutput

Batch = Mapping[str, Tensor]
"""What a defence sees of this process's B pairs:

- ``row`` ``[B]``, index of each pair in the training set (a 63-bit hash of it when streaming);
- ``picture`` ``[B]``, equal for pairs with equal pictures;
- ``input_ids``, ``attention_mask`` ``[B, L]``;
- ``pixel_values`` ``[B, 3, S, S]``, augmented and normalised;
- ``pair_weight`` ``[B]``, where the epoch's plan has weights;
- ``recaptioned`` ``[B]``, 0, or a hash of the plan's caption where that replaced the pair's own;
- ``patch_index`` ``[B, K]``, where part of the image patches is dropped;
- ``again`` ``[R]``, where pairs are seen twice: which of the B the further R rows of the model's
  output belong to;
- ``start_images``, ``start_texts`` ``[B + R, D]``, where it needs them: what the model embedded
  before its first step;
- ``element_input_ids``, ``element_attention_mask`` ``[U, L']``, ``element_index`` ``[B, M]`` and
  ``element_keys`` ``[U]``, where it needs knowledge (`ShieldCLIPProcessor.encode_elements`), or
  ``element_features`` ``[U, E]`` in place of the first two (``knowledge.encoder``);
- ``own_meaning`` ``[B]``, likewise: the sum of the element keys of the pair's own caption.
"""


@dataclass(frozen=True)
class Moment:
    """When a step is taken."""

    step: int
    """Optimiser steps taken before."""
    epoch: int
    progress: float
    """Share of the run that is done, in [0, 1)."""


@dataclass(frozen=True)
class LossTerms:
    """The loss of a step: the sum of its named terms."""

    terms: Mapping[str, Tensor]
    """Scalars, already weighted; each a mean over this process's pairs."""
    evidence: Tensor | None = None
    """``[B]``, how far each pair is trusted; NaN where there is nothing to judge by. Logged."""
    weight: Tensor | None = None
    """``[B]``, what each pair counts. Logged."""

    def total(self) -> Tensor:
        """Scalar to differentiate."""
        terms = list(self.terms.values())
        return sum(terms[1:], terms[0])


@dataclass(frozen=True)
class EpochPlan:
    """Which pairs an epoch trains on. By default all, each with one of its own captions."""

    rows: Sequence[int] | None = None
    """Pairs to train on, in any order; all unless given."""
    captions: Mapping[int, str] = field(default_factory=dict)
    """Row -> the caption it is trained with in place of its own."""
    weights: Mapping[int, float] = field(default_factory=dict)
    """Row -> weight; 1 unless given. The defence's own losses see it as ``pair_weight``."""
    risk: Mapping[int, float] = field(default_factory=dict)
    """Row -> how likely it is poisoned, in [0, 1], where the plan judged it. Logged."""
    gaps: Mapping[int, float] = field(default_factory=dict)
    """Row -> how much nearer another caption is than its own, where the plan asked. Logged."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What else is logged of the plan."""
    seen_twice: frozenset[int] | None = None
    """Rows with a second view; by default `Defence.second_views` of every batch."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the model sees of n pictures, without gradient."""

    features: ImageFeatures
    pictures: Tensor
    """``[n]`` int64 on the CPU, equal for equal pictures."""
    readable: Tensor
    """``[n]`` bool on the CPU; where it is false, another picture was seen in its place."""


class PairsView(Protocol):
    """What a plan may look at: the training pairs, as the model sees them now."""

    @property
    def captions(self) -> Sequence[Sequence[str]]:
        """Captions of each of the N pairs."""
        ...

    @property
    def meanings(self) -> Tensor:
        """``[N]`` int64, equal for first captions with equal elements; 0 for those without any."""
        ...

    def see_images(self, rows: Sequence[int]) -> Seen:
        """Pictures of some pairs, without augmentation."""
        ...

    def read_texts(self, texts: Sequence[str]) -> TextFeatures:
        """Any texts, without gradient."""
        ...


@dataclass(kw_only=True)
class Defence(ABC):
    """Settings are dataclass fields, as a recipe names them.

    A defence never learns which pairs are poisoned.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    revision: ClassVar[int] = 1
    """Raised where equal settings come to train otherwise: tells which stored results are old."""
    needs_knowledge: ClassVar[bool] = False
    """Whether batches must bring the knowledge elements of their captions."""
    needs_start: ClassVar[bool] = False
    """Whether batches must bring what the model embedded before its first step.

    Costs a frozen copy of the weights and, at each step, one more forward pass.
    """
    needs_epochs: ClassVar[bool] = False
    """Whether it can do nothing without epochs; a stream has none."""

    @property
    def second_views(self) -> float:
        """Share of each batch that the model sees a second time, otherwise changed.

        Second views are further rows of the model's output, after those of the B pairs.
        """
        return 0.0

    def head_parameters(self) -> frozenset[str]:
        """Parameters of the model's knowledge head that the losses use; the others are frozen."""
        return frozenset()

    def learning_rate(self, epoch: int) -> float:
        """Factor of the learning rate in an epoch."""
        del epoch
        return 1.0

    def plan(self, epoch: int, pairs: PairsView) -> EpochPlan | None:
        """What to train on in an epoch; called on every process before its first step.

        Not called when streaming, where pairs cannot be told in advance.

        Returns:
            None keeps the plan in force, at first that of all pairs.
        """
        del epoch, pairs
        return None

    @abstractmethod
    def losses(self, output: ShieldCLIPOutput, batch: Batch, moment: Moment) -> LossTerms:
        """The loss of one step.

        Args:
            output: of the one call of the model, in training mode, on the batch.
            batch: this process's pairs. Embeddings of all processes' pairs come from
                `shieldclip.training.gather`.
            moment: when.
        """

    def state_dict(self) -> dict[str, Tensor]:
        """What a resumed run needs beyond the settings (banks, splits)."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        del state
