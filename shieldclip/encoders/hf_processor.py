"""Read the resize, crop and statistics of a transformers image processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from shieldclip.encoders.preprocessing import Preprocessing, three
from shieldclip.encoders.safety import read_json
from shieldclip.errors import ShieldCLIPError, in_one_line

FILES = ("preprocessor_config.json", "processor_config.json")


def load_preprocessing(folder: Path, image_size: int) -> Preprocessing:
    """The folder's image processor as a `Preprocessing`.

    Args:
        folder: a transformers checkpoint.
        image_size: side S in pixels that the model expects.

    Raises:
        ShieldCLIPError: no processor, or one that does something other than resize, central
            crop, rescale to ``[0, 1]`` and normalise, or whose output the model cannot take.
    """
    preprocessing = _translate(folder, _processor(folder))
    if preprocessing.crop != image_size:
        raise ShieldCLIPError(
            f"The image processor in {folder} makes {preprocessing.crop}-pixel squares, but the "
            f"model takes {image_size}; use the processor that belongs to this checkpoint."
        )
    return preprocessing


def _processor(folder: Path) -> Any:
    from transformers import AutoImageProcessor

    present = [folder / name for name in FILES if (folder / name).is_file()]
    if not present:
        raise ShieldCLIPError(f"No image processor in {folder}; expected {' or '.join(FILES)}.")
    for path in present:
        read_json(path)
    loader: Any = AutoImageProcessor
    try:
        return loader.from_pretrained(folder, backend="pil", trust_remote_code=False)
    except (OSError, ValueError, TypeError) as error:
        reason = in_one_line(error, most=200)
        raise ShieldCLIPError(f"Unreadable image processor in {folder}: {reason}") from error


def _translate(folder: Path, processor: Any) -> Preprocessing:
    size, crop = processor.size, processor.crop_size
    square = size.height if size.height == size.width else None
    edge = square or (None if size.longest_edge else size.shortest_edge) or 0
    if processor.do_center_crop:
        side = crop.height if crop.height == crop.width else 0
    else:
        side = square or 0
    rescales = processor.do_rescale and abs(processor.rescale_factor - 1 / 255) < 1e-9
    if not (processor.do_resize and rescales and processor.do_normalize and 0 < side <= edge):
        raise ShieldCLIPError(
            f"The image processor in {folder} is not supported (size {dict(size)}, crop "
            f"{dict(crop) if crop else None}); expected resize, central square crop, rescaling by "
            "1/255 and normalisation."
        )
    return Preprocessing(
        resize=edge,
        mode="squash" if square else "shortest",
        resample=Image.Resampling(int(processor.resample)),
        crop=side,
        crop_rounding="floor",
        mean=three(processor.image_mean),
        std=three(processor.image_std),
    )
