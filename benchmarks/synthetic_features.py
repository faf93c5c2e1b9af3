"""Patch and word features like those of a CLIP, without one: concepts, background, noise.

Concepts lie in super-categories and are drawn by Zipf's law. The patches of an image show its
concepts or its background; the words of its caption name some of the concepts, between function
words that all captions share. Noise is coloured (variance 1/k along the k-th axis) and either
modality has an offset. The more noise and the fewer shared concepts, the harder is it to tell
the own caption from the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad

from shieldclip.transport import Bags

CONCEPTS, CATEGORIES, FUNCTION_WORDS = 2000, 20, 40
LONGEST = 16
"""Words of a caption."""
AT_ONCE = 20_000
"""Captions drawn at a time, which bounds the memory that drawing takes."""


@dataclass(frozen=True)
class Level:
    """How hard the pairs are to tell apart."""

    shared: tuple[int, int]
    """Fewest and most concepts of an image that its caption names."""
    noise: float
    """Length of the noise beside a concept of length 1."""


LEVELS = {"easy": Level((2, 3), 0.85), "hard": Level((1, 3), 1.2)}


def draw(
    level: str, images: int, captions: int, *, patches: int = 49, width: int = 256, seed: int = 0
) -> tuple[Tensor, Bags]:
    """Unit patch features ``[images, patches, width]`` and ``captions`` captions of 4 to 16 words.

    The first captions belong to the images.
    """
    generator = torch.Generator().manual_seed(seed)
    settings = LEVELS[level]
    vocabulary = _concepts(width, generator)
    pairs = max(images, captions)
    popularity = 1 / torch.arange(1, CONCEPTS + 1, dtype=torch.float32)
    shown = torch.cat([
        torch.multinomial(popularity.expand(len(some), -1), 4, generator=generator)
        for some in torch.split(torch.arange(pairs), AT_ONCE)
    ])  # fmt: skip
    return (
        _patches(vocabulary[shown[:images]], patches, settings, generator),
        _captions(vocabulary, shown[:captions], settings, generator),
    )


def zoo_features(images: int, captions: int) -> tuple[Tensor, Bags]:
    """Features of a small trained model, of pictures and captions that need no download."""
    from shieldclip.data import open_source
    from shieldclip.data.decode import decode
    from shieldclip.encoders import load_encoder

    rows = open_source(f"icons-and-scenes?renderings=0&concepts=icons-100&scenes={captions}").rows
    encoder = load_encoder("shieldclip:icons-clean", device="cpu")
    pictures = [encoder.preprocess(decode(cell)) for cell in rows["image"][:images]]
    words = encoder.token_features([texts[0] for texts in rows["captions"]])
    with torch.inference_mode():
        return encoder.patch_features(torch.stack(pictures).float() / 255), Bags.pack(*words)


def _concepts(width: int, generator: torch.Generator) -> Tensor:
    categories = normalize(torch.randn(CATEGORIES, width, generator=generator), dim=1)
    own = normalize(torch.randn(CONCEPTS, width, generator=generator), dim=1)
    member = torch.randint(CATEGORIES, (CONCEPTS,), generator=generator)
    return normalize(1.5 * categories[member] + own, dim=1)


def _noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Coloured noise of expected squared length 1."""
    variance = 1 / torch.arange(1, shape[-1] + 1)
    return torch.randn(shape, generator=generator) * (variance / variance.sum()).sqrt()


def _offset(width: int, generator: torch.Generator) -> Tensor:
    return 0.3 * normalize(torch.randn(width, generator=generator), dim=0)


def _patches(shown: Tensor, patches: int, level: Level, generator: torch.Generator) -> Tensor:
    """Concepts of the images ``[I, 4, D]`` -> ``[I, patches, D]``."""
    images, width = len(shown), shown.shape[2]
    background = _noise((images, 1, width), generator)
    sources = torch.cat([shown, background, background, background], dim=1)
    choice = torch.randint(sources.shape[1], (images, patches), generator=generator)
    chosen = sources[torch.arange(images)[:, None], choice]
    noise = level.noise * _noise(tuple(chosen.shape), generator)
    return normalize(chosen + noise + _offset(width, generator), dim=2)


def _captions(vocabulary: Tensor, shown: Tensor, level: Level, generator: torch.Generator) -> Bags:
    """Concepts of the captions ``[N, 4]`` (rows of the vocabulary) -> their words."""
    width = vocabulary.shape[1]
    function_words = normalize(torch.randn(FUNCTION_WORDS, width, generator=generator), dim=1)
    offset = _offset(width, generator)
    sizes = torch.randint(4, LONGEST + 1, (len(shown),), generator=generator)
    offsets = pad(sizes.cumsum(0), (1, 0))
    features = torch.empty(int(offsets[-1]), width)
    for some in torch.split(torch.arange(len(shown)), AT_ONCE):
        words = _words(vocabulary, function_words, shown[some], level, generator)
        kept = torch.arange(LONGEST) < sizes[some, None]
        part = slice(int(offsets[some[0]]), int(offsets[some[-1] + 1]))
        features[part] = normalize(words[kept] + offset, dim=1)
    return Bags(features, offsets)


def _words(
    vocabulary: Tensor,
    function_words: Tensor,
    shown: Tensor,
    level: Level,
    generator: torch.Generator,
) -> Tensor:
    """Concepts of the captions ``[N, 4]`` -> ``[N, LONGEST, D]``, noise included."""
    fewest, most = level.shared
    named = torch.randint(fewest, most + 1, (len(shown), 1), generator=generator)
    place = torch.randint(1 << 30, (len(shown), LONGEST), generator=generator) % named
    words = vocabulary[shown.gather(1, place)]
    functional = torch.rand(len(shown), LONGEST, generator=generator) < 0.4
    fillers = torch.randint(FUNCTION_WORDS, (len(shown), LONGEST), generator=generator)
    words[functional] = function_words[fillers[functional]]
    return words + level.noise * _noise(tuple(words.shape), generator)
