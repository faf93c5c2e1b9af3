"""The checkpoint that is exported: its weights, its preprocessing and its tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shieldclip.encoders.base import Origin, Precision
from shieldclip.encoders.folder import read_folder_weights
from shieldclip.encoders.hf_encoder import CLIPEncoder
from shieldclip.encoders.hf_processor import load_preprocessing
from shieldclip.encoders.locate import Located, locate
from shieldclip.encoders.preprocessing import Preprocessing
from shieldclip.encoders.quiet import quiet_libraries
from shieldclip.encoders.safety import read_json
from shieldclip.encoders.spec import FolderSpec, HubSpec, ZooSpec, parse_spec
from shieldclip.errors import ShieldCLIPError

EXPORTED = ("clip", "shieldclip")
"""Values of ``model_type``; a knowledge head is left behind, inference does not use it."""


@dataclass(frozen=True)
class Source:
    """A CLIP with a ViT, on the CPU in float32."""

    name: str
    """How others may know it: the specification, without the path of a folder."""
    encoder: CLIPEncoder
    """What everything that is exported is compared with."""
    preprocessing: Preprocessing
    processor: Any
    """``CLIPProcessor`` with tokenizer and image processor."""
    stored_dtype: torch.dtype
    """Precision of the weights on disk, which an export keeps."""

    @property
    def config(self) -> Any:
        """The ``CLIPConfig``."""
        return self.encoder.model.config

    def weights(self) -> dict[str, Tensor]:
        """Tensors of a ``CLIPModel`` by name, as precise as on disk."""
        state: dict[str, Tensor] = self.encoder.model.state_dict()
        return {name: tensor.to(self.stored_dtype) for name, tensor in state.items()}


def load_source(spec: str) -> Source:
    """Open a checkpoint to export.

    Args:
        spec: a folder of `ShieldCLIPModel` or transformers' ``CLIPModel``, ``shieldclip:NAME``, or
            a Hub id.

    Raises:
        ShieldCLIPError: another kind of checkpoint, or files missing, damaged or unsafe.

    Warns:
        UntrustworthyWarning: the checkpoint is known to be backdoored.
    """
    parsed = parse_spec(spec)
    if not isinstance(parsed, ZooSpec | FolderSpec | HubSpec):
        raise _unfit(spec, "an open_clip checkpoint")
    found = locate(parsed, spec)
    _check_kind(spec, found)
    name = found.folder.resolve().name if isinstance(parsed, FolderSpec) else spec
    with quiet_libraries():
        return _open(name, found)


def _open(name: str, found: Located) -> Source:
    from transformers import CLIPProcessor

    folder = found.folder
    origin = Origin(name, found.revision, found.facts.warning)
    encoder = CLIPEncoder(folder, origin, Precision(torch.device("cpu"), torch.float32))
    processor: Any = CLIPProcessor.from_pretrained(folder, trust_remote_code=False)
    # As in the encoder, a special token typed into a text is text; saved only if in both places.
    processor.tokenizer.split_special_tokens = True
    processor.tokenizer.init_kwargs["split_special_tokens"] = True
    return Source(
        name=name,
        encoder=encoder,
        preprocessing=load_preprocessing(folder, encoder.image_size),
        processor=processor,
        stored_dtype=_stored_dtype(folder),
    )


def _check_kind(spec: str, found: Located) -> None:
    if found.library != "transformers":
        raise _unfit(spec, f"one of {found.library}")
    record = read_json(found.folder / "config.json")
    if record.get("model_type") not in EXPORTED:
        raise _unfit(spec, f"model_type {record.get('model_type')!r}")
    tower = record.get("image_tower", "vit")
    if tower != "vit":
        raise _unfit(spec, f"image tower {tower!r}, which transformers' CLIPModel does not have")


def _stored_dtype(folder: Path) -> torch.dtype:
    """The precision of all weights; float32, which holds every other, where they differ."""
    weights = read_folder_weights(folder, "transformers").values()
    dtypes = {tensor.dtype for tensor in weights if tensor.is_floating_point()}
    return dtypes.pop() if len(dtypes) == 1 else torch.float32


def _unfit(spec: str, got: str) -> ShieldCLIPError:
    return ShieldCLIPError(
        f"Expected a ShieldCLIP or a transformers CLIP with a ViT to export, got {got} at {spec!r}."
    )
