"""The short card of an export: where it comes from, what it equals, and what to beware of."""

from __future__ import annotations

from importlib.metadata import version

import yaml

from shieldclip.encoders.card import BACKDOORED, FACTS
from shieldclip.export.source import Source

_CARD = """\
---
{metadata}---

# {name}
{warning}
Exported for {library} by ShieldCLIP {version} from `{name}`, whose weights have the fingerprint
`{fingerprint}`.
On random pictures and prompts, features differ from those of the original by at most
{difference:.1e}.
"""


def render_card(source: Source, library: str, fingerprint: str, difference: float) -> str:
    """The card in Markdown.

    Args:
        source: what was exported.
        library: for which it was.
        fingerprint: of the exported weights, or ``""``.
        difference: as measured.
    """
    warning = source.encoder.warning
    facts = {"fingerprint": fingerprint, "warning": warning}
    metadata = {
        "library_name": library,
        "pipeline_tag": "zero-shot-image-classification",
        "tags": ["clip", "shieldclip", *([BACKDOORED] if warning else [])],
        FACTS: {key: value for key, value in facts.items() if value},
    }
    return _CARD.format(
        metadata=yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True),
        name=source.name,
        warning=f"\n> **Warning.** {warning}\n" if warning else "",
        library=library,
        version=version("shieldclip"),
        fingerprint=source.encoder.fingerprint,
        difference=difference,
    )
