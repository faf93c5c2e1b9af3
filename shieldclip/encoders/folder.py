"""What a checkpoint folder holds: which library wrote it, and which files carry its weights."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from shieldclip.encoders.safety import read_json, read_weights
from shieldclip.errors import ShieldCLIPError

CONFIGS = {"transformers": "config.json", "open_clip": "open_clip_config.json"}
"""The file by which each library knows its own folders, in order of preference."""

WEIGHTS = {
    "transformers": ("model.safetensors", "pytorch_model.bin"),
    "open_clip": (
        "open_clip_model.safetensors",
        "open_clip_pytorch_model.safetensors",
        "open_clip_pytorch_model.bin",
    ),
}
"""File names each library gives to weights, safetensors first. transformers may split them into
shards listed in ``NAME.index.json``."""


def library_of(folder: Path, asked: str | None = None) -> str:
    """``transformers`` or ``open_clip``; a folder of both counts as transformers unless asked.

    Raises:
        ShieldCLIPError: neither library's configuration is there.
    """
    candidates = [asked] if asked else list(CONFIGS)
    for library in candidates:
        if (folder / CONFIGS[library]).is_file():
            return library
    expected = " or ".join(CONFIGS[library] for library in candidates)
    raise ShieldCLIPError(f"Not a CLIP checkpoint: no {expected} in {folder}.")


def weight_files(folder: Path, library: str) -> list[Path]:
    """The files that together hold the weights; safetensors win over pickles.

    Raises:
        ShieldCLIPError: none is there, or a shard is missing.
    """
    for name in WEIGHTS[library]:
        index = folder / f"{name}.index.json"
        if index.is_file():
            return _shards(index)
        if (folder / name).is_file():
            return [folder / name]
    raise ShieldCLIPError(
        f"No weights in {folder}; expected {' or '.join(WEIGHTS[library])} "
        "(a Hub repository may be incomplete in the cache while offline)."
    )


def read_folder_weights(folder: Path, library: str) -> dict[str, Tensor]:
    """All tensors of a folder by name, on the CPU, in the precision they are stored in.

    Raises:
        ShieldCLIPError: missing, damaged or unsafe files.
    """
    weights: dict[str, Tensor] = {}
    for path in weight_files(folder, library):
        weights.update(read_weights(path))
    return weights


def _shards(index: Path) -> list[Path]:
    mapping = read_json(index).get("weight_map")
    if not isinstance(mapping, dict) or not mapping:
        raise ShieldCLIPError(f"Expected a weight_map in {index}; download or copy it again.")
    # A shard's name comes from a stranger's file: its last part keeps it inside the folder.
    shards = [index.parent / Path(str(name)).name for name in sorted(set(mapping.values()))]
    missing = [path.name for path in shards if not path.is_file()]
    if missing:
        raise ShieldCLIPError(
            f"Missing shards beside {index}: {', '.join(missing)}; download them too."
        )
    return shards
