"""``shieldclip train``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from shieldclip.cli.names import complete_recipe


@click.command()
@click.argument("recipe", shell_complete=complete_recipe)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Another value, e.g. optimiser.epochs=3; repeat for several.",
)
@click.option("--data", "source", metavar="SOURCE", help="Train on this instead.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder. Default: runs/RECIPE.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and what it takes.")
def train(
    recipe: str, overrides: tuple[str, ...], source: str | None, out: Path | None, dry_run: bool
) -> None:
    """Train by RECIPE, a YAML file or the name of a shipped one.

    Given again after an interruption, the same command goes on where the run stopped.
    """
    from shieldclip.evaluation.folder import folder_evaluator
    from shieldclip.training.recipe import load_recipe

    resolved = load_recipe(recipe, overrides, source)
    evaluator = folder_evaluator(**resolved.evaluation.asked)
    folder = out or Path("runs") / Path(recipe).stem
    if dry_run:
        from shieldclip.training.estimate import describe

        click.echo(describe(resolved), nl=False)
        return
    from shieldclip.training.allocator import keep_freed_memory
    from shieldclip.training.run import train as run

    keep_freed_memory()
    with _resumable(folder):
        run(resolved, folder, evaluator)
    click.echo(f"Trained; the model is in {folder / 'last'}.")


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Ctrl-C says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(
            f"Interrupted: the last state is in {folder}; run the same command again to go on.",
            err=True,
        )
        raise SystemExit(130) from None
