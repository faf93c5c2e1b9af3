"""Freed memory stays with a process that trains."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from shieldclip.training.allocator import keep_freed_memory

def taken():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if sys.argv[1] == "keep":
    keep_freed_memory()
sum(torch.ones(2**24).sum() for _ in range(8))
before = taken()
for _ in range(16):
    torch.ones(2**24)
print(taken() - before)
"""


def faults(mode: str) -> int:
    """Pages that a process got from the system while it took and freed 64 MiB sixteen times."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, mode], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_pages_are_taken_once() -> None:
    assert faults("keep") < faults("give back") / 4
