"""One training step of every loss, by one of several processes. Imported by spawned processes."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import normalize

from shieldclip.training.gather import gather, own_rows
from shieldclip.training.losses import (
    AttentionAlignmentBCELoss,
    AttentionAlignmentLoss,
    ContrastiveLoss,
    ElementPresenceLoss,
    KnowledgeAlignmentLoss,
    KnowledgeWeightedContrastiveLoss,
    gather_elements,
)
from shieldclip.training.losses.alignment import caption_scores, patch_relevance
from shieldclip.training.losses.knowledge_weights import (
    absolute_evidence,
    relative_evidence,
    trimmed_weights,
)
from shieldclip.training.losses.precision import products
from shieldclip.training.losses.rank_evidence import knowledge_fit, own_rank, rivals

ELEMENTS = [[0, 1], [2], [], [3, 4, 0], [5, 1], [6], [7, 2], [8]]
"""Of eight captions. The halves have 6 and 6 unique elements, of 3 and 2 per caption at most;
elements 1 and 2 occur in both."""
PAIRS, PATCHES, WIDTH = len(ELEMENTS), 4, 6

Results = dict[str, tuple[Tensor, dict[str, Tensor]]]


class Towers(nn.Module):
    """Linear stand-ins for the towers, and temperatures."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.image, self.text = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.attention = nn.Linear(WIDTH, 1)
        self.scale = nn.Parameter(torch.tensor(5.0))


def step(first: int, last: int) -> Results:
    """Losses of pairs ``first`` to ``last - 1`` against the whole batch, and their gradients."""
    return {name: run(name, first, last) for name in LOSSES}


def run(name: str, first: int, last: int) -> tuple[Tensor, dict[str, Tensor]]:
    towers = Towers().double()
    loss = LOSSES[name](towers, Features(towers, first, last))
    loss.backward()
    parameters = towers.named_parameters()
    return loss.detach(), {n: p.grad for n, p in parameters if p.grad is not None}


class Features:
    """What a model returns for some pairs of a fixed batch, and what is gathered from it."""

    def __init__(self, towers: Towers, first: int, last: int) -> None:
        noise = torch.Generator().manual_seed(1)
        pixels = torch.randn(PAIRS, PATCHES, WIDTH, generator=noise).double()[first:last]
        words = torch.randn(PAIRS, WIDTH, generator=noise).double()[first:last]
        phrases = torch.randn(9, WIDTH, generator=noise).double()
        keys = torch.randperm(9, generator=noise) - 4
        unique = sorted({element for own in ELEMENTS[first:last] for element in own})
        self.patches = normalize(towers.image(pixels), dim=-1)
        self.attention = towers.attention(pixels)[..., 0].softmax(dim=-1)
        images = normalize(towers.image(pixels.mean(dim=1)), dim=-1)
        texts = normalize(towers.text(words), dim=-1)
        self.rows = own_rows(images)
        self.images, self.texts = gather(images), gather(texts)
        embeddings = normalize(towers.text(phrases[unique]), dim=-1)
        index = padded([[unique.index(e) for e in own] for own in ELEMENTS[first:last]])
        self.elements = gather_elements(embeddings, keys[unique], index)


def padded(rows: list[list[int]]) -> Tensor:
    widest = max(map(len, rows))
    return torch.tensor([row + [-1] * (widest - len(row)) for row in rows])


def contrastive(towers: Towers, f: Features) -> Tensor:
    return ContrastiveLoss()(f.images, f.texts, towers.scale, f.rows)


def knowledge_weighted(towers: Towers, f: Features) -> Tensor:
    relevance = patch_relevance(f.patches, f.elements, f.rows)
    evidence = gather(absolute_evidence(f.attention, relevance, f.elements.known[f.rows]))
    module = KnowledgeWeightedContrastiveLoss()
    return module(f.images, f.texts, towers.scale, evidence, 0, f.rows)


def knowledge_alignment(towers: Towers, f: Features) -> Tensor:
    scores = gather(caption_scores(f.patches, f.elements).detach())
    weights = trimmed_weights(relative_evidence(scores, f.elements))[f.rows]
    loss = KnowledgeAlignmentLoss()
    return loss(f.patches, f.elements, towers.scale, -1.0, f.rows, weights)


def element_presence(towers: Towers, f: Features) -> Tensor:
    logits = towers.scale * products(f.patches, f.elements.embeddings).amax(dim=1)
    fit = knowledge_fit(gather(logits.detach()), f.elements)
    weights = 1 - own_rank(fit, rivals(f.elements)).nan_to_num(0)
    return ElementPresenceLoss()(logits, f.elements, f.rows, weights[f.rows])


def attention_kl(towers: Towers, f: Features) -> Tensor:
    return AttentionAlignmentLoss()(f.attention, f.patches, f.elements, towers.scale, f.rows)


def attention_bce(towers: Towers, f: Features) -> Tensor:
    return AttentionAlignmentBCELoss()(f.attention, f.patches, f.elements, towers.scale, f.rows)


LOSSES = {
    "contrastive": contrastive,
    "knowledge_weighted": knowledge_weighted,
    "knowledge_alignment": knowledge_alignment,
    "element_presence": element_presence,
    "attention_kl": attention_kl,
    "attention_bce": attention_bce,
}


def work(rank: int, world: int, folder: Path) -> None:
    """What one process does; the first writes the means over processes."""
    store = f"file://{folder}/store"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=world)
    share = PAIRS // world
    results = step(rank * share, (rank + 1) * share)
    for loss, gradients in results.values():
        for tensor in (loss, *gradients.values()):
            dist.all_reduce(tensor)
            tensor /= world
    uneven = torch.arange(2 + rank, dtype=torch.float64).requires_grad_()
    stacked = gather(uneven)
    (stacked * torch.arange(1.0, 1 + len(stacked)) * (1 + rank)).sum().backward()
    record = {"rows": own_rows(uneven), "stacked": stacked.detach(), "gradient": uneven.grad}
    torch.save((results, record), folder / f"{rank}.pt")
    dist.destroy_process_group()
