"""Where an encoder computes, and in which floating-point format."""

from __future__ import annotations

import torch

from shieldclip.errors import ShieldCLIPError, unknown_name

DTYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "fp32": torch.float32,
    "float16": torch.float16,
    "fp16": torch.float16,
    "bfloat16": torch.bfloat16,
    "bf16": torch.bfloat16,
}


def resolve_device(name: str) -> torch.device:
    """``auto`` is CUDA if there, else MPS, else the CPU; anything else is taken literally.

    Raises:
        ShieldCLIPError: no such device on this machine.
    """
    if name == "auto":
        return torch.device(_best_device())
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ShieldCLIPError(
            f"Unknown device {name!r}; expected auto, cpu, cuda, cuda:N or mps."
        ) from error
    if device.type == "cuda":
        _require_cuda(device)
    elif device.type == "mps" and not torch.backends.mps.is_available():
        raise ShieldCLIPError("Device 'mps' is not available here; use --device cpu or auto.")
    elif device.type not in ("cpu", "mps"):
        raise ShieldCLIPError(f"Device {name!r} is not supported; use auto, cpu, cuda or mps.")
    return device


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """``auto`` is bfloat16 on CUDA (float16 on cards without it) and float32 elsewhere.

    Raises:
        ShieldCLIPError: an unknown name.
    """
    if name in DTYPES:
        return DTYPES[name]
    if name != "auto":
        raise unknown_name("dtype", name, ["auto", *DTYPES])
    if device.type != "cuda":
        return torch.float32
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _require_cuda(device: torch.device) -> None:
    if not torch.cuda.is_available():
        raise ShieldCLIPError(
            f"Device {str(device)!r} was asked for, but PyTorch sees no CUDA device here; "
            "use --device cpu or auto."
        )
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise ShieldCLIPError(
            f"Device {str(device)!r} was asked for, but this machine has "
            f"{torch.cuda.device_count()} CUDA device(s), numbered from 0."
        )
