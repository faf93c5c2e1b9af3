"""Fenced blocks of Markdown pages, and what a comment before one says about running it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->", re.DOTALL)
_FAILS = "<!-- fails -->"
_FILE = re.compile(r"# (\S+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str = ""
    """Why it is not run; then its commands are parsed only."""
    fails: bool = False
    """It shows a command that ends with an error for its user."""

    @property
    def file(self) -> str | None:
        """The file it is to be saved as, named by its first line: ``# name.py``."""
        match = _FILE.match(self.text)
        return match[1] if match else None

    def commands(self) -> Iterator[str]:
        """Commands of a shell block, one a line, without comments."""
        for line in self.text.replace("\\\n", " ").splitlines():
            command = re.sub(r"(^|\s)#.*", "", line).strip()
            if command:
                yield command


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page in their order."""
    found, said = [], ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.map:
            reason = _NOT_RUN.search(said)
            words = token.info.split()
            found.append(
                Block(
                    page,
                    token.map[0] + 1,
                    words[0] if words else "",
                    token.content,
                    " ".join(reason[1].split()) if reason else "",
                    _FAILS in said,
                )
            )
        said = token.content if token.type == "html_block" else ""
    return found


def main() -> None:
    """List what is not run, and why."""
    every = [block for page in PAGES for block in blocks(page)]
    left_out = [block for block in every if block.not_run]
    for block in left_out:
        print(f"{block.page.relative_to(ROOT)}:{block.line}: {block.not_run}")
    runnable = [block for block in every if block.language in {"bash", "python"}]
    print(f"{len(left_out)} of {len(runnable)} blocks of code are not run")


if __name__ == "__main__":
    main()
