"""Generated lines of a recipe's `about`; every other line stays as it was written."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml
from cells.spec import Matrix
from expected.evidence import evidence_for
from expected.sentence import expected, time
from results.stored import Run

from shieldclip.drafts import write_text
from shieldclip.errors import ShieldCLIPError

WIDTH = 100
_ABOUT = re.compile(r"^about:\n(?:(?: .*)?\n)*", re.MULTILINE)


def update_recipes(
    paths: Iterable[Path],
    references: Mapping[str, Matrix],
    experiments: Mapping[str, Sequence[Run]],
) -> list[Path]:
    """Rewrite the recipes that are out of date, and say which."""
    texts = {path: told(path, references, experiments) for path in paths}
    stale = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    for path in stale:
        write_text(path, texts[path])
    return stale


def told(
    path: Path, references: Mapping[str, Matrix], experiments: Mapping[str, Sequence[Run]]
) -> str:
    """A recipe's text as the stored runs want it; as it is where nothing is stored."""
    text = path.read_text(encoding="utf-8")
    evidence = evidence_for(path, references, experiments)
    if evidence is None:
        return text
    taken = time(evidence)
    if taken is not None:
        text = with_line(text, "time", taken)
    return with_line(text, "expected", expected(evidence))


def with_line(text: str, key: str, value: str) -> str:
    """A recipe's text with one value of `about` replaced, as YAML.

    Raises:
        ShieldCLIPError: there is no such key.
    """
    about = _ABOUT.search(text)
    before = about[0] if about else ""
    # The key's own line, and those that are indented further.
    after, count = re.subn(
        rf"^  {key}:.*\n(?:   .*\n)*", lambda _: _line(key, value), before, flags=re.MULTILINE
    )
    if count != 1:
        raise ShieldCLIPError(f"Expected one key {key!r} below `about`, got {count}; write it.")
    return text.replace(before, after, 1)


def _line(key: str, value: str) -> str:
    """Plain where that fits and means the same, folded otherwise."""
    plain = f"  {key}: {value}"
    if len(plain) <= WIDTH and _means(plain, key, value):
        return f"{plain}\n"
    folded = textwrap.fill(
        value,
        WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"  {key}: >-\n{folded}\n"


def _means(line: str, key: str, value: str) -> bool:
    try:
        return bool(yaml.safe_load(line) == {key: value})
    except yaml.YAMLError:
        return False
