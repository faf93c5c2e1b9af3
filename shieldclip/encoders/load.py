"""From a checkpoint's name to an `Encoder`."""

from __future__ import annotations

from pathlib import Path

from shieldclip.encoders.base import Origin, Precision
from shieldclip.encoders.card import check_fingerprint
from shieldclip.encoders.locate import locate
from shieldclip.encoders.precision import resolve_device, resolve_dtype
from shieldclip.encoders.spec import StateDictSpec, TagSpec, parse_spec
from shieldclip.types import Encoder


def load_encoder(
    spec: str, *, device: str = "auto", dtype: str = "auto", verify: bool = False
) -> Encoder:
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
        verify: require a card whose fingerprint is that of the weights.

    Raises:
        ShieldCLIPError: a bad name, a device that is not here, missing, damaged or unsafe files,
            weights that do not fit their architecture exactly, or not those of their card.

    Warns:
        UntrustworthyWarning: the checkpoint is known to be backdoored.
    """
    place = resolve_device(device)
    precision = Precision(place, resolve_dtype(dtype, place))
    parsed = parse_spec(spec)
    if isinstance(parsed, TagSpec | StateDictSpec):
        from shieldclip.encoders.open_clip_encoder import load_open_clip

        expected = ""
        encoder: Encoder = load_open_clip(parsed, Origin(spec), precision)
    else:
        found = locate(parsed, spec)
        expected = found.facts.fingerprint
        origin = Origin(spec, found.revision, found.facts.warning)
        encoder = _load_folder(found.folder, found.library, origin, precision)
    if verify:
        check_fingerprint(spec, expected, encoder.fingerprint)
    return encoder


def _load_folder(folder: Path, library: str, origin: Origin, precision: Precision) -> Encoder:
    # Each library takes seconds to import, so only the one that is needed is.
    if library == "transformers":
        from shieldclip.encoders.hf_encoder import load_hf_encoder

        return load_hf_encoder(folder, origin, precision)
    from shieldclip.encoders.open_clip_encoder import load_open_clip_folder

    return load_open_clip_folder(folder, origin, precision)
