"""Losses on embeddings: one family a file.

Conventions: the batch has N pairs, of which this process owns ``rows`` (``[B]`` indices; all of
them where ``rows`` is not given). A loss is a mean over the own rows, so that its mean over
processes is the loss of the whole batch. Arithmetic is in float32 or wider whatever comes in.
"""

from shieldclip.training.losses.attention_alignment import (
    AttentionAlignmentBCELoss,
    AttentionAlignmentLoss,
)
from shieldclip.training.losses.contrastive import ContrastiveLoss
from shieldclip.training.losses.departure import DepartureLoss
from shieldclip.training.losses.element_presence import ElementPresenceLoss
from shieldclip.training.losses.elements import CaptionElements, gather_elements
from shieldclip.training.losses.knowledge_alignment import KnowledgeAlignmentLoss
from shieldclip.training.losses.knowledge_weighted_contrastive import (
    KnowledgeWeightedContrastiveLoss,
)
from shieldclip.training.losses.unlikelihood import UnlikelihoodLoss

__all__ = [
    "AttentionAlignmentBCELoss",
    "AttentionAlignmentLoss",
    "CaptionElements",
    "ContrastiveLoss",
    "DepartureLoss",
    "ElementPresenceLoss",
    "KnowledgeAlignmentLoss",
    "KnowledgeWeightedContrastiveLoss",
    "UnlikelihoodLoss",
    "gather_elements",
]
