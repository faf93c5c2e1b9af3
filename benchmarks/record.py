"""Run benchmarks and store what they print, as records from which docs are written.

    python benchmarks/record.py NAME ... [--also ARGUMENTS] [--measured FOLDER]
    python benchmarks/record.py all

A name stands for a benchmark and its arguments (`COMMANDS`). Each runs on one core and replaces its
record in `benchmarks/measured/` when it is done. `--also` gives it more arguments, such as those of
a shorter run; a record says them. Then `python benchmarks/write_costs.py` writes the pages.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import torch
from costs.stored import MEASURED, Machine, Record, save

HERE = Path(__file__).parent
COMMANDS = {
    "train-step-icons": "train_step.py --model icons",
    # Of 256 pairs a step takes more memory than most desks have.
    "train-step-vit-b-32": "train_step.py --model vit-b-32 --batch-size 64 --repeats 3",
    "inference-cost": "inference_cost.py --repeats 31",
    "eval-speed": "eval_speed.py",
    "transport": "transport.py --no-own",
    "transport-own": "transport_own.py",
    "match-rates": "match_rates.py --width 512 --pictures 128 --device cpu",
    "match-rates-vit-b-32": "match_rates.py --model random --pictures 32 --captions 256"
    " --device cpu",
    "judge-memory": "judge_memory.py",
    "judge-memory-long": "judge_memory.py --words 21",
}
"""Name -> benchmark and arguments."""
CORES = 1
"""All that benchmarks are given: ratios and rates are those of one."""


def processor() -> str:
    """The model's name, where Linux tells it."""
    told = Path("/proc/cpuinfo")
    text = told.read_text(encoding="utf-8") if told.is_file() else ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return name[1].strip() if name else platform.processor() or platform.machine()


def measure(command: str) -> Record:
    """Run a benchmark.

    Raises:
        click.ClickException: it fails, or prints no figures.
    """
    script, *arguments = [*shlex.split(command), "--json"]
    ran = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": str(CORES)},
        stdout=subprocess.PIPE,
        text=True,
    )
    if ran.returncode or not ran.stdout.strip():
        raise click.ClickException(f"{script} printed no figures; its record stays as it was.")
    told = shlex.join(["python", f"benchmarks/{script}", *arguments])
    machine = Machine(processor(), CORES, torch.__version__.partition("+")[0])
    return Record(told, machine, json.loads(ran.stdout.splitlines()[-1]))


@click.command()
@click.argument("names", nargs=-1, required=True, type=click.Choice([*COMMANDS, "all"]))
@click.option("--also", default="", metavar="ARGUMENTS", help="For every one of these benchmarks.")
@click.option("--measured", type=click.Path(path_type=Path), default=MEASURED, help="Folder.")
def main(names: tuple[str, ...], also: str, measured: Path) -> None:
    """Measure one after the other."""
    for name in COMMANDS if "all" in names else names:
        click.echo(f"{name} ...", err=True)
        save(measure(f"{COMMANDS[name]} {also}"), name, measured)


if __name__ == "__main__":
    main()
