"""What transformers' configuration of a CLIP is in open_clip's words."""

from __future__ import annotations

from typing import Any

from PIL import Image

from shieldclip.encoders.preprocessing import Preprocessing
from shieldclip.errors import ShieldCLIPError
from shieldclip.export.source import Source

QUICK = "quick_gelu"
ACTIVATIONS: dict[str, dict[str, str] | None] = {
    QUICK: None,
    "gelu": None,
    "gelu_new": {"approximate": "tanh"},
    "gelu_pytorch_tanh": {"approximate": "tanh"},
}
"""``hidden_act`` -> ``act_kwargs``; QuickGELU is a flag of the whole model."""
INTERPOLATIONS = {Image.Resampling.BICUBIC: "bicubic", Image.Resampling.BILINEAR: "bilinear"}
DEFAULT_EPS = 1e-5


def open_clip_config(source: Source) -> dict[str, Any]:
    """The content of ``open_clip_config.json``.

    Raises:
        ShieldCLIPError: an activation or a preprocessing that open_clip does not have.
    """
    text, vision = source.config.text_config, source.config.vision_config
    return {
        "model_cfg": {
            "embed_dim": source.config.projection_dim,
            "quick_gelu": _quick_gelu(text.hidden_act, vision.hidden_act),
            "vision_cfg": {
                "image_size": vision.image_size,
                "patch_size": vision.patch_size,
                "head_width": vision.hidden_size // vision.num_attention_heads,
                **_transformer(vision),
            },
            "text_cfg": {
                "context_length": text.max_position_embeddings,
                "vocab_size": text.vocab_size,
                "heads": text.num_attention_heads,
                **_transformer(text),
                **_text_end(source),
                # From local-dir: the library takes the files of the folder itself.
                "hf_tokenizer_name": ".",
            },
        },
        "preprocess_cfg": _preprocessing(source.preprocessing),
    }


def _transformer(config: Any) -> dict[str, Any]:
    """What both towers have."""
    fields = {
        "width": config.hidden_size,
        "layers": config.num_hidden_layers,
        "mlp_ratio": _ratio(config.intermediate_size, config.hidden_size),
    }
    if ACTIVATIONS[config.hidden_act]:
        fields["act_kwargs"] = ACTIVATIONS[config.hidden_act]
    if config.layer_norm_eps != DEFAULT_EPS:
        fields["norm_kwargs"] = {"eps": config.layer_norm_eps}
    return fields


def _ratio(inner: int, width: int) -> float:
    """A factor with which open_clip, which cuts decimals off, gets at the inner width."""
    ratio = inner / width
    return ratio if int(width * ratio) == inner else (inner + 0.5) / width


def _quick_gelu(text: str, vision: str) -> bool:
    for activation in (text, vision):
        if activation not in ACTIVATIONS:
            raise ShieldCLIPError(
                f"Expected an activation that open_clip has ({', '.join(ACTIVATIONS)}), got "
                f"{activation!r}; export --to transformers or onnx."
            )
    if (text == QUICK) != (vision == QUICK):
        raise ShieldCLIPError(
            f"Expected QuickGELU in both towers or in none for open_clip, got {text!r} for texts "
            f"and {vision!r} for pictures; export --to transformers or onnx."
        )
    return text == QUICK


def _text_end(source: Source) -> dict[str, Any]:
    """Where a text's feature is read: at its end token, whatever open_clip calls that."""
    tokenizer = source.processor.tokenizer
    if tokenizer.eos_token_id == len(tokenizer) - 1:
        return {"pool_type": "argmax"}
    return {"pool_type": "eos", "eos_id": tokenizer.eos_token_id}


def _preprocessing(steps: Preprocessing) -> dict[str, Any]:
    if steps.resample not in INTERPOLATIONS or steps.crop != steps.resize:
        raise ShieldCLIPError(
            f"Expected a preprocessing that open_clip has (bicubic or bilinear, to the model's "
            f"size), got {steps.identity!r}; export --to transformers or onnx."
        )
    return {
        "size": steps.crop,
        "mode": "RGB",
        "mean": list(steps.mean),
        "std": list(steps.std),
        "interpolation": INTERPOLATIONS[steps.resample],
        "resize_mode": steps.mode,
    }
