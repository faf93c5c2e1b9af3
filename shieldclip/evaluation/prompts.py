"""Class prompts: every class name in every template."""

from __future__ import annotations

from collections.abc import Sequence


def class_prompts(classes: Sequence[str], templates: Sequence[str]) -> list[list[str]]:
    """C names and T templates with one ``{}`` each -> per class its T prompts."""
    return [[template.replace("{}", name) for template in templates] for name in classes]
