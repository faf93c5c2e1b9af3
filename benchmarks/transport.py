"""How fast the nearest captions are found, as ratios to other libraries in one run.

    python benchmarks/transport.py [--quick] [--no-own] [--json] [--plot FILE] [--repeats 5]

64 images against 1,000 captions on one thread, at ε 0.05 and 0.1, on synthetic features (easy and
hard, see `synthetic_features.py`) and on those of the zoo model icons-clean. Processor time counts;
everything that is compared takes turns, and ratios are taken within a turn. All times include the
cost matrices. Columns:

- `µs`: our time per image-caption pair; `solved`: the share of pairs that no bound excludes
  before their exact cosines are computed.
- `gemm`: time of the bare matrix product of all patches with all words, in float32 by torch, over
  ours; at least 0.75 is wanted. Above 1 where the processor multiplies bytes (VNNI).
- one column a peer: its time over ours. Peers solve every pair, so one image, of POT's loop some
  captions, is enough. Of several settings of a peer the fastest counts whose error stays below
  2e-5. At least 400 is wanted against POT's loop, 20 against its batch solver (50 in the mean), 8
  against torch.compile, 30 against OTT-JAX.
- `error`: our largest error against POT in float64; `argmin`: images whose nearest caption is that
  of a float32 search through all.

Then, without `--no-own`, the search against itself: see `transport_own.py`, which also runs alone.

`--quick` leaves that out, and torch.compile, OTT-JAX and the zoo model. `--plot` draws the cost per
image against pools of 1e3 to 1e6 captions.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
from dataclasses import asdict, dataclass

import click
import torch
from synthetic_features import LEVELS, draw, zoo_features
from torch import Tensor
from transport_own import as_text as own_as_text
from transport_own import compare as compare_with_itself
from transport_peers import Compiled, OttJax, Peer, PotBatch, PotLoop
from transport_plot import draw_scaling
from turns import cpu_seconds

from shieldclip.transport import (
    Bags,
    Nearest,
    approximate_recall,
    nearest_captions,
    pair_distances,
)

IMAGES, CAPTIONS = 64, 1000
EPSILONS = (0.05, 0.1)
FAR_OFF = 2e-5
"""Errors from which a peer's setting does not count."""
CHECKED = 40
"""Captions compared with POT in float64, and solved by its loop."""
PEERS: dict[str, list[Peer]] = {
    "POT loop": [PotLoop(1e-5), PotLoop(1e-6)],
    "POT batch": [PotBatch(64, 1e-5), PotBatch(256, 1e-5), PotBatch(1000, 1e-5)],
    "torch.compile": [Compiled()],
    "OTT-JAX": [OttJax(250, 1e-4), OttJax(250, 1e-5)],
}
"""Name -> settings to choose from."""
QUICK = ("POT loop", "POT batch")


@dataclass(frozen=True)
class Row:
    """One set of features at one ε."""

    features: str
    epsilon: float
    microseconds: float
    solved: float
    gemm: float
    peers: dict[str, float]
    error: float
    same: float
    buffer_megabytes: float


def gemm(patches: Tensor, captions: Bags) -> None:
    """All cosines and nothing else, a cache-sized block of words at a time."""
    rows = patches.flatten(0, 1)
    for words in torch.split(captions.features, 256):
        torch.mm(words, rows.T)


def settled(peers: dict[str, list[Peer]], patches: Tensor, captions: Bags, epsilon: float) -> dict:
    """The fastest setting of every peer that is right; all are warm afterwards."""
    few = captions.select(torch.arange(CHECKED))
    truth = PotLoop(1e-9).distances(patches[0], few, epsilon)
    chosen = {}
    for name, settings in peers.items():
        seconds = {}
        for peer in settings:
            error = (peer.distances(patches[0], few, epsilon) - truth).abs().max()
            pool = few if name == "POT loop" else captions
            peer.distances(patches[0], pool, epsilon)
            if error < FAR_OFF:
                seconds[peer] = cpu_seconds(
                    lambda p=peer, c=pool: p.distances(patches[0], c, epsilon)
                )
        if seconds:
            chosen[name] = min(seconds, key=seconds.__getitem__)
    return chosen


def error_of(patches: Tensor, captions: Bags, epsilon: float) -> float:
    """Of our distances of one image to some captions, against POT in float64."""
    few = captions.select(torch.arange(CHECKED))
    truth = PotLoop(1e-9).distances(patches[0], few, epsilon)
    found = pair_distances(patches[:1].expand(CHECKED, -1, -1), few, epsilon=epsilon)
    return float((found - truth).abs().max())


def agreement(patches: Tensor, captions: Bags, found: Nearest, epsilon: float) -> float:
    """Share of the first images whose index is that of solving every caption."""
    few, count = patches[:8], len(captions)
    rows = torch.arange(count).repeat(len(few))
    every = pair_distances(few.repeat_interleave(count, 0), captions.select(rows), epsilon=epsilon)
    best = every.view(len(few), count).argmin(1)
    return float((best == found.index[: len(few)]).float().mean())


def measure(
    name: str, patches: Tensor, captions: Bags, epsilon: float, peers: dict, repeats: int
) -> Row:
    """One row of the table."""
    chosen = settled(peers, patches, captions, epsilon)
    few = captions.select(torch.arange(CHECKED))
    pairs = len(patches) * len(captions)
    found = nearest_captions(patches, captions, epsilon=epsilon)
    ours, floors = [], []
    ratios: dict[str, list[float]] = {peer: [] for peer in chosen}
    for _ in range(repeats):
        ours.append(
            cpu_seconds(lambda: nearest_captions(patches, captions, epsilon=epsilon)) / pairs
        )
        floors.append(cpu_seconds(lambda: gemm(patches, captions)) / pairs / ours[-1])
        for peer, setting in chosen.items():
            pool = few if peer == "POT loop" else captions
            spent = cpu_seconds(lambda s=setting, c=pool: s.distances(patches[0], c, epsilon))
            ratios[peer].append(spent / len(pool) / ours[-1])
    return Row(
        features=name,
        epsilon=epsilon,
        microseconds=1e6 * statistics.median(ours),
        solved=found.stats.solved / found.stats.pairs,
        gemm=statistics.median(floors),
        peers={peer: statistics.median(values) for peer, values in ratios.items()},
        error=error_of(patches, captions, epsilon),
        same=agreement(patches, captions, found, epsilon),
        buffer_megabytes=found.stats.buffer_bytes / 1e6,
    )


def summary(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Geometric means and worst rows, over rows that have the peer."""
    names = {"POT batch": "pot_batch", "POT loop": "pot_loop"}
    names |= {"torch.compile": "torch_compile", "OTT-JAX": "ott_jax"}
    values = {key: [row.peers[n] for row in rows if n in row.peers] for n, key in names.items()}
    values["gemm"] = [row.gemm for row in rows]
    return {
        "ratios": {key: statistics.geometric_mean(some) for key, some in values.items() if some},
        "worst": {key: min(some) for key, some in values.items() if some},
    }


def as_text(rows: list[Row], recall: dict[str, float]) -> str:
    """The table, its means, buffers and the recall of approximate search."""
    peers = list(dict.fromkeys(name for row in rows for name in row.peers))
    head = ["features", "ε", "µs", "solved", "gemm", *peers, "error", "argmin"]
    lines = ["  ".join(f"{word:>13}" for word in head)]
    for row in rows:
        cells = [row.features, f"{row.epsilon}", f"{row.microseconds:.2f}", f"{row.solved:.1%}"]
        cells += [
            f"{row.gemm:.2f}",
            *(f"{row.peers.get(name, float('nan')):.0f}x" for name in peers),
        ]
        cells += [f"{row.error:.0e}", f"{row.same:.0%}"]
        lines.append("  ".join(f"{cell:>13}" for cell in cells))
    for kind, values in summary(rows).items():
        shown = ", ".join(f"{key} {value:.2f}" for key, value in values.items())
        lines.append(f"{'geometric means' if kind == 'ratios' else 'worst rows'}: {shown}")
    lines.append(f"largest buffers: {max(row.buffer_megabytes for row in rows):.1f} MB")
    shown = ", ".join(f"{name} {value:.2f}" for name, value in recall.items())
    lines.append(f"recall of the true argmin, 64 candidates by mean feature: {shown}")
    return "\n".join(lines)


def installed(names: list[str]) -> list[str]:
    """Those of the peers that can run here; says which cannot."""
    if "OTT-JAX" not in names or all(map(importlib.util.find_spec, ("ott", "jax"))):
        return names
    click.echo("OTT-JAX is not installed (pip install ott-jax): left out.", err=True)
    return [name for name in names if name != "OTT-JAX"]


@click.command()
@click.option("--quick", is_flag=True, help="Under a minute: POT and the matrix product only.")
@click.option("--own/--no-own", "with_own", default=True, help="Also the search against itself.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--repeats", default=5, help="Turns.")
@click.option("--plot", help="Draw cost against pool size into this file, instead.")
def main(quick: bool, with_own: bool, as_json: bool, repeats: int, plot: str | None) -> None:
    """Compare `nearest_captions` with other libraries."""
    torch.set_num_threads(1)
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    if plot:
        draw_scaling(plot)
        return
    peers = {name: PEERS[name] for name in installed(list(QUICK if quick else PEERS))}
    features = {level: draw(level, IMAGES, CAPTIONS) for level in LEVELS}
    if not quick:
        features["icons-clean"] = zoo_features(IMAGES, CAPTIONS)
    rows = []
    for name, pair in features.items():
        for epsilon in EPSILONS:
            rows.append(measure(name, *pair, epsilon, peers, 3 if quick else repeats))
            click.echo(json.dumps(asdict(rows[-1])), err=True)
    own = compare_with_itself(repeats) if with_own and not quick else None
    recall = {name: approximate_recall(*pair, 64) for name, pair in features.items()}
    if as_json:
        found = summary(rows) | {"rows": [asdict(row) for row in rows], "recall": recall}
        click.echo(json.dumps(found | ({"own": asdict(own)} if own else {})))
        return
    click.echo(as_text(rows, recall))
    if own:
        click.echo(own_as_text(own))


if __name__ == "__main__":
    main()
