"""Make the model known to transformers' Auto classes."""

from __future__ import annotations

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForZeroShotImageClassification,
    AutoProcessor,
    CLIPProcessor,
)

from shieldclip.modeling.config import ShieldCLIPConfig
from shieldclip.modeling.model import ShieldCLIPModel


def register() -> None:
    """Register configuration, model and processor; safe to repeat."""
    AutoConfig.register(ShieldCLIPConfig.model_type, ShieldCLIPConfig, exist_ok=True)
    AutoModel.register(ShieldCLIPConfig, ShieldCLIPModel, exist_ok=True)
    # The pipeline looks here.
    AutoModelForZeroShotImageClassification.register(
        ShieldCLIPConfig, ShieldCLIPModel, exist_ok=True
    )
    AutoProcessor.register(ShieldCLIPConfig, CLIPProcessor, exist_ok=True)
