"""From a checkpoint's name to an `Encoder`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shieldclip.encoders.base import Origin, Precision
from shieldclip.encoders.folder import library_of
from shieldclip.encoders.precision import resolve_device, resolve_dtype
from shieldclip.encoders.spec import (
    FolderSpec,
    HubSpec,
    Spec,
    StateDictSpec,
    TagSpec,
    ZooSpec,
    parse_spec,
)
from shieldclip.encoders.zoo import find_zoo_model
from shieldclip.types import Encoder


def load_encoder(spec: str, *, device: str = "auto", dtype: str = "auto") -> Encoder:
    """Load any CLIP checkpoint; nothing from a stranger's files is ever run as code.

    ============================  ===========================================================
    ``org/name[@revision]``       Hub repository of transformers (CLIP, SigLIP) or open_clip
    a folder                      the same on disk
    ``shieldclip:NAME``           shipped with this package, see `zoo_models`
    ``open_clip:ARCH/TAG``        a pretrained tag of open_clip, downloaded when needed
    ``hf-hub:org/name``           Hub repository, read as open_clip even if it is both
    ``local-dir:FOLDER``          folder, read as open_clip even if it is both
    ``state-dict:ARCH:FILE``      bare weights (.pt, .pth, .bin or .safetensors) of an open_clip
                                  architecture, with or without ``state_dict`` nesting and
                                  ``module.`` prefixes: ``state-dict:RN50-quickgelu:epoch_64.pt``
    ============================  ===========================================================

    Args:
        spec: one of the forms above.
        device: ``auto`` (CUDA, else MPS, else CPU) or a PyTorch device.
        dtype: ``auto`` (bfloat16 on CUDA, else float32), ``float32``, ``float16`` or
            ``bfloat16``.

    Raises:
        ShieldCLIPError: a bad name, a device that is not here, missing, damaged or unsafe files,
            or weights that do not fit their architecture exactly.
    """
    place = resolve_device(device)
    precision = Precision(place, resolve_dtype(dtype, place))
    return _load(parse_spec(spec), Origin(spec), precision)


def _load(spec: Spec, origin: Origin, precision: Precision) -> Encoder:
    match spec:
        case ZooSpec(name):
            model = find_zoo_model(name)
            origin = replace(origin, warning=model.warning)
            return _load_folder(model.path, "transformers", origin, precision)
        case FolderSpec(path, library):
            return _load_folder(path, library_of(path, library), origin, precision)
        case HubSpec():
            from shieldclip.encoders.hub import fetch

            snapshot = fetch(spec)
            origin = replace(origin, revision=snapshot.revision)
            return _load_folder(snapshot.folder, snapshot.library, origin, precision)
        case TagSpec() | StateDictSpec():
            from shieldclip.encoders.open_clip_encoder import load_open_clip

            return load_open_clip(spec, origin, precision)


def _load_folder(folder: Path, library: str, origin: Origin, precision: Precision) -> Encoder:
    # Each library takes seconds to import, so only the one that is needed is.
    if library == "transformers":
        from shieldclip.encoders.hf_encoder import load_hf_encoder

        return load_hf_encoder(folder, origin, precision)
    from shieldclip.encoders.open_clip_encoder import load_open_clip_folder

    return load_open_clip_folder(folder, origin, precision)
