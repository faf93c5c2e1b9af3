"""ShieldCLIP as a transformers model: a CLIP that also trains on patches, tokens and knowledge.

Importing this package registers the model with transformers' Auto classes, so that
``AutoModel.from_pretrained`` and ``pipeline("zero-shot-image-classification")`` know it.
"""

from shieldclip.modeling.config import ShieldCLIPConfig
from shieldclip.modeling.model import ShieldCLIPModel
from shieldclip.modeling.output import ShieldCLIPOutput
from shieldclip.modeling.processor import ShieldCLIPProcessor
from shieldclip.modeling.registration import register

register()

__all__ = ["ShieldCLIPConfig", "ShieldCLIPModel", "ShieldCLIPOutput", "ShieldCLIPProcessor"]
