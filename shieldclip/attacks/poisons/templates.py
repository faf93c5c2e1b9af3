"""The 80 prompts in which a target is named by default."""

from __future__ import annotations


def imagenet_templates() -> tuple[str, ...]:
    """CLIP's 80 ImageNet prompts with ``{}`` for the class, as open_clip ships them."""
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

    return tuple(template("{}") for template in OPENAI_IMAGENET_TEMPLATES)
