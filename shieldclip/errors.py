"""The one exception, and the one warning, that a user is meant to read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ShieldCLIPError(Exception):
    """Bad input from outside: the message says what was expected, what came, and the remedy.

    The command line prints it as one line and exits with code 2.
    """


class UntrustworthyWarning(UserWarning):
    """A checkpoint that is being loaded is known to be backdoored."""


def unknown_name(kind: str, name: str, available: Iterable[str]) -> ShieldCLIPError:
    """``Unknown trigger 'x'. Did you mean 'y'? Available: ...``."""
    names = sorted(available)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return ShieldCLIPError(f"Unknown {kind} {name!r}.{hint} Available: {', '.join(names)}.")


def in_one_line(error: BaseException, most: int | None = None) -> str:
    """What an error of another library says, without its last stop; its type if it says nothing.

    Args:
        error: any.
        most: characters; the rest is cut off.
    """
    return " ".join(str(error).split()).rstrip(".")[:most] or type(error).__name__
