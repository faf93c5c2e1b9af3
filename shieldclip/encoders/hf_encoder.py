"""CLIP and SigLIP checkpoints of the transformers library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from shieldclip.encoders.base import Origin, Precision, Tokens, TorchEncoder
from shieldclip.encoders.hf_model import load_model
from shieldclip.encoders.hf_processor import load_preprocessing
from shieldclip.encoders.hf_tokenizer import HFTokenizer
from shieldclip.encoders.quiet import quiet_libraries
from shieldclip.encoders.safety import read_json
from shieldclip.errors import ShieldCLIPError


class HFEncoder(TorchEncoder):
    """What `CLIPEncoder` and `SigLIPEncoder` share."""

    library = "transformers"
    model: Any
    tokenizer: HFTokenizer

    def _image_features(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.model.get_image_features(pixel_values=pixels).pooler_output
        return features

    def _text_features(self, ids: Tensor) -> Tensor:
        features: Tensor = self.model.get_text_features(input_ids=ids).pooler_output
        return features

    def _tokenize(self, texts: list[str]) -> Tokens:
        return self.tokenizer(texts)


class CLIPEncoder(HFEncoder):
    """transformers' ``CLIPModel``.

    No attention mask is given: attention is causal and a text's feature is read at its end token,
    so padding behind it has no effect.
    """

    def __init__(self, folder: Path, origin: Origin, precision: Precision) -> None:
        """Load a checkpoint folder.

        Raises:
            ShieldCLIPError: files missing, damaged, unsafe or not fitting each other.
        """
        from transformers import CLIPConfig, CLIPModel

        model = load_model(folder, CLIPConfig, CLIPModel)
        text = model.config.text_config
        preprocessing = load_preprocessing(folder, model.config.vision_config.image_size)
        self.tokenizer = HFTokenizer(folder, text.max_position_embeddings, "longest")
        self.tokenizer.check_vocabulary(text.vocab_size)
        self.tokenizer.check_eos(text.eos_token_id)
        super().__init__(model, origin, preprocessing, precision)

    def _patch_features(self, pixels: Tensor) -> Tensor:
        vision = self.model.vision_model
        hidden = vision(pixel_values=pixels).last_hidden_state[:, 1:]  # [B, P, width], no CLS
        features: Tensor = self.model.visual_projection(vision.post_layernorm(hidden))
        return features

    def _token_features(self, ids: Tensor) -> Tensor:
        hidden = self.model.text_model(input_ids=ids).last_hidden_state  # [N, L, width]
        features: Tensor = self.model.text_projection(hidden)
        return features


class SigLIPEncoder(HFEncoder):
    """transformers' ``SiglipModel`` (SigLIP, and SigLIP 2 at a fixed resolution).

    Texts are padded to the full context and not masked, as in training: the feature is read at
    the last position. SigLIP has no projection of patches, so a patch's place in the joint space
    is what the attention-pooling head returns for that patch alone.
    """

    def __init__(self, folder: Path, origin: Origin, precision: Precision) -> None:
        """Load a checkpoint folder.

        Raises:
            ShieldCLIPError: files missing, damaged, unsafe or not fitting each other.
        """
        from transformers import SiglipConfig, SiglipModel

        model = load_model(folder, SiglipConfig, SiglipModel)
        text = model.config.text_config
        preprocessing = load_preprocessing(folder, model.config.vision_config.image_size)
        self.tokenizer = HFTokenizer(folder, text.max_position_embeddings, "max_length")
        self.tokenizer.check_vocabulary(text.vocab_size)
        super().__init__(model, origin, preprocessing, precision)

    def _patch_features(self, pixels: Tensor) -> Tensor:
        vision = self.model.vision_model
        hidden = vision(pixel_values=pixels).last_hidden_state  # [B, P, width], normalised
        features: Tensor = vision.head(hidden.flatten(0, 1)[:, None])  # [B * P, D]
        return features.reshape(*hidden.shape[:2], -1)

    def _token_features(self, ids: Tensor) -> Tensor:
        text = self.model.text_model
        features: Tensor = text.head(text(input_ids=ids).last_hidden_state)
        return features


ENCODERS: dict[str, type[CLIPEncoder] | type[SigLIPEncoder]] = {
    "clip": CLIPEncoder,
    "shieldclip": CLIPEncoder,
    "siglip": SigLIPEncoder,
}
"""By ``model_type``. A ShieldCLIP checkpoint is a CLIP with one more head."""


@quiet_libraries()
def load_hf_encoder(folder: Path, origin: Origin, precision: Precision) -> HFEncoder:
    """Load a transformers folder.

    Raises:
        ShieldCLIPError: not a CLIP or SigLIP, or unusable files.
    """
    model_type = str(read_json(folder / "config.json").get("model_type"))
    if model_type not in ENCODERS:
        raise ShieldCLIPError(
            f"{origin.name!r} is not a CLIP: its config.json says model_type {model_type!r}, "
            f"expected {', '.join(ENCODERS)}."
        )
    return ENCODERS[model_type](folder, origin, precision)
