"""The formulas of the losses in NumPy float64, with loops where the code has tensors."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def owned(index: Tensor) -> list[list[int]]:
    """Elements of every caption, without padding."""
    return [[element for element in row if element >= 0] for row in index.tolist()]


def info_nce(images, texts, scale):
    """Loss of every pair ``[N]``."""
    logits = scale * array(images) @ array(texts).T
    losses = []
    for n in range(len(logits)):
        to_text = -np.log(softmax(logits[n])[n])
        to_image = -np.log(softmax(logits[:, n])[n])
        losses.append((to_text + to_image) / 2)
    return np.array(losses)


def caption_scores(patches, elements):
    """``w[b, c]``, 0 for captions without elements."""
    patches, phrases = array(patches), array(elements.embeddings)
    scores = np.zeros((len(patches), len(elements.index)))
    for b, image in enumerate(patches):
        for c, own in enumerate(owned(elements.index)):
            if own:
                scores[b, c] = np.mean([max(patch @ phrases[m] for patch in image) for m in own])
    return scores


def knowledge_alignment(patches, elements, scale, bias):
    """Loss of every image ``[B]``."""
    logits = scale * caption_scores(patches, elements) + bias
    own = owned(elements.index)
    losses = []
    for b in range(len(logits)):
        others = [c for c in range(len(own)) if own[c] and not set(own[c]) & set(own[b])]
        # -log s(x) = log(1 + exp(-x)), and -log(1 - s(x)) = log(1 + exp(x))
        negative = np.mean([np.logaddexp(0, logits[b, c]) for c in others])
        losses.append((np.logaddexp(0, -logits[b, b]) + negative) / 2 if own[b] else 0.0)
    return np.array(losses)


def relevance(patches, elements):
    """``r[b, p]``, 0 for captions without elements."""
    patches, phrases = array(patches), array(elements.embeddings)
    best = np.zeros(patches.shape[:2])
    for b, own in enumerate(owned(elements.index)):
        for p in range(patches.shape[1]):
            best[b, p] = max((patches[b, p] @ phrases[m] for m in own), default=0)
    return best


def attention_kl(attention, patches, elements, scale):
    """Divergence of every image ``[B]``."""
    paid, best = array(attention), relevance(patches, elements)
    losses = []
    for b, own in enumerate(owned(elements.index)):
        target = softmax(scale * best[b])
        losses.append(np.sum(target * np.log(target / paid[b])) if own else 0.0)
    return np.array(losses)


def attention_bce(attention, patches, elements, scale):
    """Cross-entropy of every image ``[B]``."""
    paid, patches, phrases = array(attention), array(patches), array(elements.embeddings)
    losses = np.zeros(len(patches))
    for b, own in enumerate(owned(elements.index)):
        entropies = []
        for m in own:
            for p in range(patches.shape[1]):
                score = scale * max(patches[b, p] @ phrases[m], 0)
                target, guess = sigmoid(score), sigmoid(paid[b, p] * score)
                entropies.append(-target * np.log(guess) - (1 - target) * np.log(1 - guess))
        losses[b] = np.mean(entropies) if entropies else 0
    return losses
