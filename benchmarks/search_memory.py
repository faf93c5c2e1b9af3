"""The memory that a search works in, beyond the features it is given.

    MALLOC_MMAP_THRESHOLD_=65536 python benchmarks/search_memory.py [--captions 100000]

Prints JSON, in MB (1e6 bytes), for 64 images of 49 patches and one thread:

- `counted`: the kernel's own sum of its buffers.
- `search`: how much the process grows while the kernel searches.
- `whole_call`: how much it grows in `nearest_captions` with global features given, the choice of
  seeds and the checks included.

With the variable, glibc gives back what is freed. Else a search may work in memory that drawing
the features has left, and the process does not grow.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click
import psutil
import torch
from synthetic_features import draw

from shieldclip.transport import Bags, SearchSettings, native_search, nearest_captions, pooling
from shieldclip.transport.nearest import SEEDS

IMAGES, WARM = 64, 600
FREED = {"MALLOC_MMAP_THRESHOLD_": "65536"}


@dataclass(frozen=True)
class Memory:
    """In MB, of one search."""

    captions: int
    counted: float
    search: float
    whole_call: float


def memory_of(captions: int) -> Memory:
    """Measured in a process of its own."""
    command = [sys.executable, __file__, "--captions", str(captions)]
    ran = subprocess.run(
        command, env=os.environ | FREED, check=True, text=True, stdout=subprocess.PIPE
    )
    return Memory(**json.loads(ran.stdout))


def grown(work: Callable[[], object]) -> float:
    """MB by which the process grows at most during the work."""
    process, done = psutil.Process(), threading.Event()
    before = process.memory_info().rss
    held = [before]

    def watch() -> None:
        while not done.is_set():
            held.append(process.memory_info().rss)
            time.sleep(0.0005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return (max(held) - before) / 1e6


def measure(captions: int) -> Memory:
    """In this process."""
    patches, pool = draw("hard", IMAGES, captions)
    given = pooling.pooled(patches, pool)
    seeds = pooling.top_captions(given, pool, SEEDS)[1]
    end = pool.offsets[WARM]
    few = Bags(pool.features[:end], pool.offsets[: WARM + 1])
    # Libraries take some memory at their first call.
    nearest_captions(patches, few, images=given.images, texts=given.texts[:WARM])
    counted: list[int] = []

    def search() -> None:
        found = native_search.search(patches, pool, SearchSettings(), seeds=seeds)
        counted.append(found.stats.buffer_bytes)

    kernel = grown(search)
    whole = grown(lambda: nearest_captions(patches, pool, images=given.images, texts=given.texts))
    return Memory(captions, counted[0] / 1e6, kernel, whole)


@click.command()
@click.option("--captions", default=100_000, show_default=True, help="In the pool.")
def main(captions: int) -> None:
    """Measure what a search takes."""
    torch.set_num_threads(1)
    click.echo(json.dumps(asdict(measure(captions))))


if __name__ == "__main__":
    main()
