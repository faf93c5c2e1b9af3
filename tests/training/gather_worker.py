"""One training step of every loss, by one of several processes. Imported by spawned processes."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.functional import normalize

from shieldclip.modeling import ShieldCLIPOutput
from shieldclip.training.defences import LossTerms, Moment, make_defence
from shieldclip.training.gather import gather, gather_ragged, own_rows
from shieldclip.training.losses import (
    AttentionAlignmentBCELoss,
    AttentionAlignmentLoss,
    ContrastiveLoss,
    ElementPresenceLoss,
    KnowledgeAlignmentLoss,
    KnowledgeWeightedContrastiveLoss,
    UnlikelihoodLoss,
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
AGAIN = [True, True, False, True, False, False, True, False]
"""Which pairs are seen twice, and in no other way trusted: 3 and 1 of the halves."""
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
        self.own = ShieldCLIPOutput(image_embeds=images, text_embeds=texts)
        self.again = torch.tensor(AGAIN[first:last]).nonzero()[:, 0]
        second = pixels[self.again].mean(dim=1).roll(1, 1), words[self.again].roll(1, 1)
        self.views = [
            normalize(tower(rows), dim=-1)
            for tower, rows in zip((towers.image, towers.text), second, strict=True)
        ]
        self.images, self.texts = gather(images), gather(texts)
        embeddings = normalize(towers.text(phrases[unique]), dim=-1)
        index = padded([[unique.index(e) for e in own] for own in ELEMENTS[first:last]])
        self.elements = gather_elements(embeddings, keys[unique], index)


def padded(rows: list[list[int]]) -> Tensor:
    widest = max(map(len, rows))
    return torch.tensor([row + [-1] * (widest - len(row)) for row in rows])


def contrastive(towers: Towers, f: Features) -> Tensor:
    return ContrastiveLoss()(f.images, f.texts, towers.scale, f.rows)


def unlikelihood(towers: Towers, f: Features) -> Tensor:
    frequencies = torch.linspace(0.2, 1.0, PAIRS).double()
    return UnlikelihoodLoss()(
        f.images, f.texts, towers.scale, rivals(f.elements), f.rows, None, frequencies
    )


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


def twice(towers: Towers, f: Features, name: str, views: int, **batch: Tensor) -> LossTerms:
    """The second of two equal steps of a defence; the first one fills its banks."""
    parts = zip((f.own.image_embeds, f.own.text_embeds), f.views, strict=True)
    images, texts = (torch.cat([own, again[:views]]) for own, again in parts)
    output = ShieldCLIPOutput(image_embeds=images, text_embeds=texts, logit_scale=towers.scale)
    defence = make_defence({"name": name})
    for bank, size in (("captions", PAIRS), ("images", sum(AGAIN)), ("texts", sum(AGAIN))):
        if hasattr(defence, bank):
            getattr(defence, bank).size = size
    batch["row"] = f.rows
    defence.losses(output, batch, Moment(0, 1, 0.0))
    return defence.losses(output, batch, Moment(1, 1, 0.0))


def roclip(towers: Towers, f: Features) -> Tensor:
    return twice(towers, f, "roclip", views=0).total()


def safeclip(towers: Towers, f: Features) -> Tensor:
    safe = torch.ones(len(f.rows)).index_fill(0, f.again, 0.0)
    return twice(towers, f, "safeclip", views=len(f.again), again=f.again, pair_weight=safe).total()


def par(towers: Towers, f: Features) -> Tensor:
    """The second half of the images is far from its start, the whole batch is not."""
    start = torch.where((f.rows < PAIRS // 2)[:, None], 1.0, -1.0) * f.own.image_embeds.detach()
    batch = {"start_images": start.roll(1, 1), "start_texts": f.own.text_embeds.detach().roll(1, 1)}
    return twice(towers, f, "par", views=0, **batch).total()


LOSSES = {
    "contrastive": contrastive,
    "unlikelihood": unlikelihood,
    "knowledge_weighted": knowledge_weighted,
    "knowledge_alignment": knowledge_alignment,
    "element_presence": element_presence,
    "attention_kl": attention_kl,
    "attention_bce": attention_bce,
    "roclip": roclip,
    "safeclip": safeclip,
    "par": par,
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
    record["ragged"] = gather_ragged(torch.full((1, 1 + rank), rank), fill=-1)
    torch.save((results, record), folder / f"{rank}.pt")
    dist.destroy_process_group()
