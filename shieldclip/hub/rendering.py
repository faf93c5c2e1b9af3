"""The one way a card is made: metadata of the library above, a strictly rendered body below."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import CardData, RepoCard
from jinja2 import Environment, StrictUndefined

# The YAML block has to come first, or the metadata is silently empty.
_PAGE = "---\n{{ card_data }}\n---\n\n{{ body }}"


def make_card(kind: type[RepoCard], data: CardData, template: Path, **values: object) -> str:
    """Render a card.

    The library renders names that are not defined as nothing; here they are errors.

    Args:
        kind: of the library, `ModelCard` or `DatasetCard`.
        data: its metadata.
        template: Jinja file with the body, in Markdown.
        values: what the template shows.
    """
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = template.read_text(encoding="utf-8")
    body = environment.from_string(text).render(**values).strip()
    return f"{kind.from_template(data, template_str=_PAGE, body=body)}\n"
