"""Any CLIP checkpoint as one `Encoder`; only this package knows the libraries they come from."""

from shieldclip.encoders.batch_size import find_batch_size
from shieldclip.encoders.load import load_encoder
from shieldclip.encoders.zoo import ZooModel, zoo_models

__all__ = ["ZooModel", "find_batch_size", "load_encoder", "zoo_models"]
