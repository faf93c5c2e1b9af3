"""Fresh weights, drawn as transformers draws them for its own models."""

from __future__ import annotations


class LibraryInitialization:
    """Mixin for subclasses of transformers' models.

    For classes defined elsewhere the library does not initialise modules without parameters of
    their own, to protect those that ignore what a checkpoint has set. CLIP scales the weights of
    attention and MLP in just such modules: a fresh model would start from other weights than CLIP.
    Our ``_init_weights`` use the library's functions, which leave loaded weights alone.
    """

    @classmethod
    def is_custom_code(cls) -> bool:
        """No: initialise every module."""
        return False
