"""A checkpoint that can be looked into: weights, pixels and words that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize
from transformers import CLIPConfig, CLIPModel

from shieldclip.encoders.hf_model import load_model
from shieldclip.encoders.hf_processor import load_preprocessing
from shieldclip.encoders.hf_tokenizer import HFTokenizer
from shieldclip.encoders.locate import Located, locate
from shieldclip.encoders.precision import resolve_device
from shieldclip.encoders.preprocessing import Preprocessing
from shieldclip.encoders.quiet import quiet_libraries
from shieldclip.encoders.safety import read_json
from shieldclip.encoders.spec import FolderSpec, HubSpec, ZooSpec, parse_spec
from shieldclip.errors import ShieldCLIPError
from shieldclip.modeling import ShieldCLIPConfig, ShieldCLIPModel

TEXTS_PER_PASS = 256


@dataclass(frozen=True)
class Local:
    """What a model makes of B pictures; vectors are unit norm, in the joint space."""

    images: Tensor
    """``[B, D]``."""
    patches: Tensor
    """``[B, P, D]``."""
    attention: Tensor
    """``[B, P]``, sums to 1."""


@dataclass(frozen=True)
class Subject:
    """A model in evaluation mode, with its preprocessing and tokenizer."""

    name: str
    model: ShieldCLIPModel
    preprocess: Preprocessing
    tokenizer: HFTokenizer
    warning: str = ""

    @property
    def logit_scale(self) -> float:
        """Inverse temperature of image-text cosines."""
        return float(self.model.logit_scale.exp())

    @torch.no_grad()
    def look(self, pictures: Tensor) -> Local:
        """``[B, 3, S, S]`` in ``[0, 1]`` -> global and local features, on the CPU."""
        mean, std = (
            torch.tensor(values).view(3, 1, 1)
            for values in (self.preprocess.mean, self.preprocess.std)
        )
        pixels = ((pictures - mean) / std).to(self.model.device)
        vision = self.model.vision_model(pixels, output_patches=True)
        project = self.model.visual_projection
        return Local(
            images=normalize(project(vision.pooler_output), dim=-1).cpu(),
            patches=normalize(project(vision.patches), dim=-1).cpu(),
            attention=vision.patch_attention.cpu(),
        )

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """N texts -> ``[N, D]`` unit norm, on the CPU."""
        return normalize(self._text_features(texts), dim=-1)

    @torch.no_grad()
    def embed_elements(self, elements: Sequence[str]) -> Tensor:
        """M knowledge elements -> ``[M, D]`` unit norm, through the knowledge head."""
        features: Tensor = self.model.knowledge_head(
            self._text_features(elements).to(self.model.device)
        )
        return features.cpu()

    @torch.no_grad()
    def _text_features(self, texts: Sequence[str]) -> Tensor:
        ids = self.tokenizer(list(texts)).ids.to(self.model.device)  # [N, L]
        passes = torch.split(ids, TEXTS_PER_PASS)
        encode = self.model.get_text_features
        return torch.cat([encode(input_ids=part).pooler_output.cpu() for part in passes])


def load_subject(spec: str, device: str = "auto") -> Subject:
    """Load a transformers CLIP or a ShieldCLIP in float32.

    Args:
        spec: ``shieldclip:NAME``, a folder, or a Hub id.
        device: ``auto`` or a PyTorch device.

    Raises:
        ShieldCLIPError: another kind of checkpoint, or files missing, damaged or unsafe.

    Warns:
        UntrustworthyWarning: the checkpoint is known to be backdoored.
    """
    found = _locate(spec)
    with quiet_libraries():
        return _open(spec, found, device)


def _locate(spec: str) -> Located:
    parsed = parse_spec(spec)
    if isinstance(parsed, ZooSpec | FolderSpec | HubSpec):
        found = locate(parsed, spec)
        if found.library == "transformers":
            return found
    raise _unfit(spec, "an open_clip checkpoint")


def _open(spec: str, found: Located, device: str) -> Subject:
    folder = found.folder
    model = _load(spec, folder).to(resolve_device(device)).eval().requires_grad_(False)
    text = model.config.text_config
    tokenizer = HFTokenizer(folder, text.max_position_embeddings, "longest")
    tokenizer.check_vocabulary(text.vocab_size)
    tokenizer.check_eos(text.eos_token_id)
    preprocessing = load_preprocessing(folder, model.config.vision_config.image_size)
    return Subject(spec, model, preprocessing, tokenizer, found.facts.warning)


def _load(spec: str, folder: Path) -> ShieldCLIPModel:
    kind = read_json(folder / "config.json").get("model_type")
    if kind == ShieldCLIPConfig.model_type:
        model: ShieldCLIPModel = load_model(folder, ShieldCLIPConfig, ShieldCLIPModel)
        return model
    if kind == CLIPConfig.model_type:
        return ShieldCLIPModel.from_clip(load_model(folder, CLIPConfig, CLIPModel))
    raise _unfit(spec, f"model_type {kind!r}")


def _unfit(spec: str, got: str) -> ShieldCLIPError:
    return ShieldCLIPError(
        f"Expected a transformers CLIP or a ShieldCLIP to explain, got {got} at {spec!r}; "
        "give the folder, Hub id or shieldclip:NAME of one."
    )
