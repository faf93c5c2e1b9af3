"""``shieldclip poison``: a data set and a recipe -> a poisoned data set and its manifest."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("source")
@click.option(
    "--recipe",
    "recipe_path",
    required=True,
    type=click.Path(path_type=Path),
    help="What to poison and how (YAML).",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Empty folder to write."
)
@click.option("--split", help="Split of the source.")
@click.option("--seed", type=int, help="Instead of the recipe's seed.")
def poison(source: str, recipe_path: Path, out: Path, split: str | None, seed: int | None) -> None:
    """Poison SOURCE and write data.parquet, manifest.jsonl and the recipe.

    The result opens with `datasets.load_dataset(OUT)`. A recipe begins with `poison:` and one of
    dirty-label, label-consistent, targeted, label-swap, adaptive, adaptive-knowledge,
    adaptive-matching, adaptive-both, several.
    """
    from shieldclip.attacks.poisons import make_poison, read_recipe
    from shieldclip.attacks.poisons.folder import prepare_folder, write_folder
    from shieldclip.data import open_source

    recipe = read_recipe(recipe_path)
    if seed is not None:
        recipe["seed"] = seed
    poisoner = make_poison(recipe)
    prepare_folder(out)
    opened = open_source(source, split=split)
    rows, manifest = poisoner(opened.rows, opened.classes)
    write_folder(out, rows, opened.classes, manifest, recipe)
    click.echo(f"Poisoned {len(manifest.entries)} of {len(rows)} rows; wrote {out}.")
