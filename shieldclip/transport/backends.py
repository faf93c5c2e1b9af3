"""Who computes a search: the compiled kernel, torch or Triton."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import warnings
from typing import Protocol, cast

import torch
from torch import Tensor

from shieldclip.errors import ShieldCLIPError, unknown_name
from shieldclip.transport.bags import Bags
from shieldclip.transport.native import library
from shieldclip.transport.results import Nearest
from shieldclip.transport.search_settings import GlobalFeatures, SearchSettings


class Backend(Protocol):
    """A module of `BACKENDS`."""

    def search(
        self,
        patches: Tensor,
        captions: Bags,
        settings: SearchSettings,
        globals_: GlobalFeatures | None,
        seeds: Tensor | None,
    ) -> Nearest:
        """Nearest captions; the captions ``seeds`` ``[I, K]`` are solved first."""

    def pair_distances(
        self,
        patches: Tensor,
        captions: Bags,
        settings: SearchSettings,
        globals_: GlobalFeatures | None,
    ) -> Tensor:
        """Distance of every image to the caption of the same place."""


class AmongBackend(Protocol):
    """A module that searches among given captions."""

    def search_among(
        self,
        patches: Tensor,
        captions: Bags,
        rows: Tensor,
        settings: SearchSettings,
        globals_: GlobalFeatures | None,
    ) -> Nearest:
        """Nearest of the captions ``rows`` ``[I, K]`` of every image."""


BACKENDS = {
    "native": "shieldclip.transport.native_search",
    "torch": "shieldclip.transport.torch_search",
    "triton": "shieldclip.transport.triton_search",
}
"""Name -> its module."""


def choose_backend(name: str, device: torch.device) -> str:
    """The backend's name; ``auto`` takes the fastest that runs for features on this device.

    Raises:
        ShieldCLIPError: for an unknown name, or one that does not run here.
    """
    if name == "auto":
        return _fastest(device.type)
    if name not in BACKENDS:
        raise unknown_name("transport backend", name, [*BACKENDS, "auto"])
    if name == "native":
        library.load()
    if name == "triton" and device.type != "cuda":
        raise ShieldCLIPError(
            f"Expected features on a GPU for backend 'triton', got {device.type}; "
            "move them there, or choose backend='auto'."
        )
    return name


def backend_module(name: str) -> Backend:
    """The backend of this name."""
    return cast(Backend, importlib.import_module(BACKENDS[name]))


def among_module(name: str) -> AmongBackend:
    """Where the backend of this name searches among given captions; Triton leaves it to torch."""
    module = BACKENDS["native"] if name == "native" else "shieldclip.transport.among"
    return cast(AmongBackend, importlib.import_module(module))


def _fastest(device: str) -> str:
    if device == "cuda":
        return "triton" if importlib.util.find_spec("triton") else "torch"
    if device != "cpu":
        return "torch"
    if library.available():
        return "native"
    _say_slow()
    return "torch"


@functools.cache
def _say_slow() -> None:
    """Once a process."""
    warnings.warn(
        "The transport kernel was not compiled when shieldclip was installed: caption searches "
        "run on torch, many times slower. For the fast ones, install a C++ compiler (g++ or "
        "clang) and run `pip install --force-reinstall --no-deps` on shieldclip again.",
        RuntimeWarning,
        stacklevel=5,
    )
