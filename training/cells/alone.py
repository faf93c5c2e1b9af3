"""One process at a time in a run folder, whoever started it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process works in ``folder``, which is made if need be.

    A killed driver leaves cells behind that train on, and two workers may need the same model to
    repair. The lock ends with its process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
