"""``shieldclip push``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shieldclip.hub import Publication


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("repo", metavar="ORG/NAME")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="Report on these weights. Default: DIR/report.json or DIR/report/report.json.",
)
@click.option("--license", "license_id", metavar="ID", help="Of the weights, e.g. apache-2.0.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--revision", metavar="BRANCH", help="Commit to this branch. Default: main.")
@click.option("--dry-run", is_flag=True, help="List the files and show the card; send nothing.")
def push(
    folder: Path,
    repo: str,
    report: Path | None,
    license_id: str | None,
    private: bool,
    revision: str | None,
    dry_run: bool,
) -> None:
    """Publish a checkpoint: model, processor, recipe, report and card, in one commit.

    DIR is a model folder or the folder of a training run. If the connection breaks, run the same
    command again.
    """
    from shieldclip.hub import load_report, open_checkpoint, prepare
    from shieldclip.hub import push as send

    checkpoint = open_checkpoint(folder)
    publication = prepare(checkpoint, load_report(folder, report), repo, license_id)
    if dry_run:
        _show(publication)
        return
    pushed = send(publication, repo, private=private, revision=revision)
    click.echo(f"Published {pushed.url} at commit {pushed.commit}.")


def _show(publication: Publication) -> None:
    for path, size in sorted(publication.sizes().items()):
        click.echo(f"{size:>13,}  {path}")
    click.echo(f"\n{publication.card}")
