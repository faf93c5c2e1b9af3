"""The rates from which docs/scale.md plans a matching: encoding, search, disk and memory.

    python benchmarks/match_rates.py [--model SPEC] [--width 512] [--json]

- `pictures_per_second`, `captions_per_second`: patches or words, and global features, in batches
  of 64; decoding of picture files is not in it.
- `distances_per_second`: of the exact search on these features.
- `bytes_per_picture`, `bytes_per_caption`: of the float16 shards on disk.
- `memory`: bytes that one full shard of pictures and one of captions take in float32.

On a CPU, rates are per second of CPU time, so that whatever else the machine does cancels out.
`--width` turns features into a space of more dimensions, cosines unchanged: the search then costs
what it costs with a wider model. `--model random` is a ViT-B/32 with random weights, whose
encoding takes as long as that of a trained one; it is not asked for distances, which would mean
nothing.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import open_clip
import torch
from safetensors.torch import save_file

from shieldclip.data import open_source
from shieldclip.data.image_rows import ImageRows
from shieldclip.encoders import load_encoder
from shieldclip.matching.cache import ROWS_PER_SHARD, TEXTS_PER_SHARD
from shieldclip.matching.features import (
    ImageFeatures,
    TextFeatures,
    encode_images,
    encode_texts,
    join_images,
    join_texts,
)
from shieldclip.matching.search import Found, find_nearest
from shieldclip.matching.settings import MatchSettings
from shieldclip.transport import Bags
from shieldclip.types import Encoder

BATCH = 64


def timed(function: Callable[[], object], device: str) -> float:
    """Seconds of one call; of CPU time on a CPU."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    function()
    return clock() - start


def random_vit_b32(folder: Path) -> str:
    """Write open_clip's ViT-B-32 with random weights; its specification."""
    torch.manual_seed(0)
    config = {
        "model_cfg": open_clip.get_model_config("ViT-B-32"),
        "preprocess_cfg": {
            "mean": open_clip.OPENAI_DATASET_MEAN,
            "std": open_clip.OPENAI_DATASET_STD,
        },
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    weights = open_clip.create_model("ViT-B-32", pretrained=None).state_dict()
    save_file(
        {name: weight.contiguous() for name, weight in weights.items()},
        folder / "open_clip_model.safetensors",
    )
    return f"local-dir:{folder}"


def widen(features: torch.Tensor, width: int) -> torch.Tensor:
    """``[..., D]`` -> ``[..., width]`` with the same cosines."""
    noise = torch.Generator().manual_seed(0)
    turned = torch.linalg.qr(torch.randn(width, features.shape[-1], generator=noise)).Q
    return features @ turned.T


def make_inputs(
    encoder: Encoder, source: str, pictures: int, captions: int
) -> tuple[torch.Tensor, list[str]]:
    """Pixels ``[N, 3, S, S]`` uint8 and different captions."""
    opened = open_source(source)
    rows = opened.rows.select(range(min(pictures, len(opened.rows))))
    texts = dict.fromkeys(caption for of_row in opened.captions for caption in of_row)
    pixels = [picture for _, picture in ImageRows(rows, encoder.preprocess)]
    return torch.stack(pixels), list(texts)[:captions]


def encode(
    encoder: Encoder, pixels: torch.Tensor, captions: Sequence[str]
) -> tuple[ImageFeatures, TextFeatures, dict[str, float]]:
    """Features of everything, and the rates."""
    encode_images(encoder, pixels[:2], range(2))  # warms up
    encode_texts(encoder, captions[:2])
    images: list[ImageFeatures] = []
    texts: list[TextFeatures] = []

    def all_images() -> None:
        for part in pixels.split(BATCH):
            images.append(encode_images(encoder, part, range(len(part))))

    def all_texts() -> None:
        for at in range(0, len(captions), BATCH):
            texts.append(encode_texts(encoder, captions[at : at + BATCH]))

    rates = {
        "pictures_per_second": len(pixels) / timed(all_images, encoder.device),
        "captions_per_second": len(captions) / timed(all_texts, encoder.device),
    }
    return join_images(images), join_texts(texts), rates


def search_rate(
    images: ImageFeatures, texts: TextFeatures, width: int, device: str
) -> dict[str, float]:
    """Of the exact search in a space of ``width`` dimensions."""
    wide = ImageFeatures(
        *(widen(part, width).to(device) for part in (images.patches, images.whole))
    )
    words = Bags(widen(texts.words.features, width).to(device), texts.words.offsets)
    captions = TextFeatures(words, widen(texts.whole, width).to(device))
    pool = [(torch.arange(len(captions.whole)), captions)]
    found: list[Found] = []
    seconds = timed(lambda: found.append(find_nearest(wide, pool, MatchSettings())), device)
    return {
        "search_width": width,
        "distances_per_second": found[0].pairs / seconds,
        "solved_share": round(found[0].solved / found[0].pairs, 4),
    }


def storage(images: ImageFeatures, texts: TextFeatures) -> dict[str, float]:
    """Bytes on disk and in memory, at the width of the features."""
    patches, width = images.patches.shape[1:]
    words = len(texts.words.features) / len(texts.whole)
    shards = ROWS_PER_SHARD * (patches + 1) + TEXTS_PER_SHARD * (words + 1)
    return {
        "patches": patches,
        "words_per_caption": words,
        "width": width,
        "bytes_per_picture": 2 * width * (patches + 1) + 8,
        "bytes_per_caption": 2 * width * (words + 1) + 8,
        "memory": 4 * width * shards,
    }


@click.command()
@click.option("--model", default="shieldclip:icons-clean", show_default=True, metavar="SPEC|random")
@click.option("--data", default="icons-and-scenes?renderings=1&scenes=4000", show_default=True)
@click.option("--pictures", default=256, show_default=True)
@click.option("--captions", default=4096, show_default=True)
@click.option("--width", type=int, help="Dimensions of the search. Default: the model's.")
@click.option("--device", default="auto", show_default=True)
@click.option("--dtype", default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(
    model: str,
    data: str,
    pictures: int,
    captions: int,
    width: int | None,
    device: str,
    dtype: str,
    as_json: bool,
) -> None:
    """Measure the rates of one model."""
    with tempfile.TemporaryDirectory() as folder:
        spec = random_vit_b32(Path(folder)) if model == "random" else model
        encoder = load_encoder(spec, device=device, dtype=dtype)
    pixels, texts = make_inputs(encoder, data, pictures, captions)
    images, features, rates = encode(encoder, pixels, texts)
    about = {"model": model, "device": encoder.device, "pictures": len(pixels)}
    figures = {**about, "captions": len(texts), **storage(images, features), **rates}
    if model != "random":
        figures |= search_rate(images, features, width or images.whole.shape[1], encoder.device)
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, figure in figures.items():
        shown = f"{figure:,.1f}" if isinstance(figure, float) and figure > 1 else str(figure)
        click.echo(f"{name:24}{shown}")


if __name__ == "__main__":
    main()
