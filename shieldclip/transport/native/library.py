"""Load the compiled kernel and choose an instruction set."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import os
from ctypes import POINTER, c_char_p, c_double, c_int64, c_void_p
from typing import Any

from shieldclip.errors import ShieldCLIPError, unknown_name

INSTRUCTIONS = ("generic", "avx2", "avxvnni", "avx512", "avx512vnni")
"""Instruction sets the kernel is compiled for, the fastest last."""

VARIABLE = "SHIELDCLIP_INSTRUCTIONS"
"""Environment variable that forces one of them, for tests and comparisons."""


class Features(ctypes.Structure):
    """Mirrors ``struct Features`` of interface.h."""

    _fields_ = (
        ("patches", c_void_p),
        ("tokens", c_void_p),
        ("offsets", c_void_p),
        ("image_globals", c_void_p),
        ("text_globals", c_void_p),
        ("images", c_int64),
        ("patch_count", c_int64),
        ("captions", c_int64),
        ("width", c_int64),
        ("global_width", c_int64),
    )


class Settings(ctypes.Structure):
    """Mirrors ``struct Settings`` of interface.h."""

    _fields_ = (
        ("epsilon", c_double),
        ("tolerance", c_double),
        ("global_weight", c_double),
        ("slack", c_double),
        ("max_iterations", c_int64),
        ("threads", c_int64),
    )


class Stats(ctypes.Structure):
    """Mirrors ``struct Stats`` of interface.h."""

    _fields_ = (
        ("pairs", c_int64),
        ("solved", c_int64),
        ("iterations", c_int64),
        ("unconverged", c_int64),
        ("buffer_bytes", c_int64),
    )


class Inspection(ctypes.Structure):
    """Mirrors ``struct Inspection`` of interface.h."""

    _fields_ = (
        ("mean_doubt", c_double),
        ("most_doubt", c_double),
        ("bound", c_double),
        ("exceeds", c_int64),
    )


def available() -> bool:
    """Was the kernel compiled when the package was installed?"""
    return _path() is not None


@functools.cache
def load() -> ctypes.CDLL:
    """The shared library with its functions declared.

    Raises:
        ShieldCLIPError: if it was not compiled.
    """
    path = _path()
    if path is None:
        raise ShieldCLIPError(
            "Expected the compiled transport kernel, which this installation lacks; install a C++ "
            "compiler and run `pip install --force-reinstall --no-deps shieldclip`, or choose "
            "backend='torch'."
        )
    library = ctypes.CDLL(path)
    library.shieldclip_instructions.restype = c_char_p
    common: list[Any] = [c_char_p, POINTER(Features), POINTER(Settings)]
    for search in (library.shieldclip_search, library.shieldclip_search_among):
        search.argtypes = [*common, c_void_p, c_int64, c_void_p, c_void_p, POINTER(Stats)]
        search.restype = None
    library.shieldclip_inspect.argtypes = [*common, c_double, POINTER(Inspection), c_void_p]
    library.shieldclip_inspect.restype = None
    return library


def runnable() -> tuple[str, ...]:
    """The instruction sets this processor runs, the fastest last."""
    return tuple(load().shieldclip_instructions().decode().split())


def chosen() -> str:
    """The fastest instruction set, or the one the environment variable names.

    Raises:
        ShieldCLIPError: if the variable names one that does not exist or does not run here.
    """
    forced = os.environ.get(VARIABLE)
    if not forced:
        return runnable()[-1]
    if forced not in runnable():
        raise unknown_name(f"instruction set in {VARIABLE}", forced, runnable())
    return forced


def _path() -> str | None:
    spec = importlib.util.find_spec("shieldclip.transport._native")
    return spec.origin if spec else None
