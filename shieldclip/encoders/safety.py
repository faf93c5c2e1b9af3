"""Which files of a stranger's checkpoint are read, and how: tensors yes, code never."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from shieldclip.errors import ShieldCLIPError, in_one_line

SAFE = (".safetensors",)
PICKLED = (".bin", ".pt", ".pth")
"""Read with PyTorch's restricted unpickler only: tensors and plain containers, no objects."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read one file of tensors by name, on the CPU.

    Raises:
        ShieldCLIPError: a suffix that is not read, a damaged file, or a pickle that holds more
            than tensors.
    """
    with reading(path):
        if path.suffix in SAFE:
            with safe_open(path, "pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        content = torch.load(path, map_location="cpu", weights_only=True)
    return _tensors(path, content)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in one line what is wrong with a weights file that the code inside cannot read."""
    if path.suffix not in SAFE + PICKLED:
        raise ShieldCLIPError(
            f"Weights in {path.name!r} are not read; expected one of {', '.join(SAFE + PICKLED)}."
        )
    try:
        yield
    except pickle.UnpicklingError as error:
        raise ShieldCLIPError(
            f"{path} is damaged or pickles Python code besides tensors, which is never run; "
            "get it as .safetensors."
        ) from error
    except (SafetensorError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error
    except RuntimeError as error:
        if "TorchScript" in str(error):
            raise ShieldCLIPError(
                f"{path} is a TorchScript archive, which holds code; save its state dict instead."
            ) from error
        if "PytorchStreamReader" in str(error):
            raise _damaged(path, error) from error
        raise


def read_json(path: Path) -> dict[str, Any]:
    """Read a checkpoint's configuration, and refuse one that wants its own code run.

    Raises:
        ShieldCLIPError: unreadable, not a JSON object, or with an ``auto_map``.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ShieldCLIPError(f"Expected JSON in {path}, but {in_one_line(error)}.") from error
    if not isinstance(record, dict):
        raise ShieldCLIPError(f"Expected a JSON object in {path}, got {type(record).__name__}.")
    refuse_code(record, str(path))
    return record


def refuse_code(config: Mapping[str, Any], source: str) -> None:
    """Refuse a configuration whose ``auto_map`` names Python code of the checkpoint's author.

    Raises:
        ShieldCLIPError: there is one.
    """
    if config.get("auto_map"):
        raise ShieldCLIPError(
            f"{source} needs Python code from the checkpoint itself (auto_map), which ShieldCLIP "
            "never runs; use a checkpoint of a standard CLIP or SigLIP class."
        )


def _tensors(path: Path, content: object) -> dict[str, Tensor]:
    if isinstance(content, Mapping) and all(isinstance(v, Tensor) for v in content.values()):
        return {str(name): tensor for name, tensor in content.items()}
    raise ShieldCLIPError(f"Expected tensors by name in {path}, got {type(content).__name__}.")


def _damaged(path: Path, error: Exception) -> ShieldCLIPError:
    return ShieldCLIPError(
        f"{path} is damaged, incomplete or unreadable ({in_one_line(error)}); "
        "download or copy it again."
    )
