"""Every way there is to compute a search."""

from __future__ import annotations

import pytest

from shieldclip.transport.native import library

ENGINES = [*(f"native-{name}" for name in library.INSTRUCTIONS), "torch"]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A backend's name; instruction sets of the compiled kernel are forced one by one."""
    backend, _, instructions = request.param.partition("-")
    if backend == "native":
        if not library.available():
            pytest.skip("the kernel is not compiled here")
        if instructions not in library.runnable():
            pytest.skip(f"this processor has no {instructions}")
        monkeypatch.setenv(library.VARIABLE, instructions)
    return backend
