"""The ``datasets`` library as reader, its errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tarfile import TarError

import datasets
from datasets.exceptions import DatasetsError

from shieldclip.errors import ShieldCLIPError

# pyarrow's errors are ValueErrors or OSErrors, network errors OSErrors.
FAILURES = (DatasetsError, OSError, ValueError, RuntimeError, TarError)

_NO_ROWS = "corresponds to no data"  # the library's words


@contextmanager
def readable(what: str, remedy: str) -> Iterator[None]:
    """Turns failures to read local files into a `ShieldCLIPError`, and nothing else is printed."""
    level = datasets.logging.get_verbosity()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    try:
        yield
    except FAILURES as error:
        if _NO_ROWS in str(error):
            raise ShieldCLIPError(
                f"Expected {what} with at least one row, but it is empty."
            ) from error
        raise ShieldCLIPError(
            f"Expected {what}, but it cannot be read ({first_line(root_cause(error))}); {remedy}."
        ) from error
    finally:
        datasets.logging.set_verbosity(level)


def root_cause(error: BaseException) -> BaseException:
    """What started a chain of errors."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def first_line(error: BaseException) -> str:
    """The first line of an error, without its final stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__
