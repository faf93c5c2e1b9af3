"""``shieldclip compare``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument(
    "reports", metavar="REPORT...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write a page as well.")
def compare(reports: tuple[Path, ...], page: Path | None) -> None:
    """Compare checkpoints over reports (report.json, maybe .gz) on the same data."""
    from rich.console import Console, Group

    from shieldclip.evaluation.console import to_rich
    from shieldclip.evaluation.leaderboard import gather, in_short, to_html, to_table
    from shieldclip.evaluation.report import EvalReport
    from shieldclip.evaluation.write import write_file

    loaded = {_label(path, reports): EvalReport.load(path) for path in dict.fromkeys(reports)}
    Console().print(Group(*to_rich(in_short(to_table(gather(loaded))))))
    if page is not None:
        write_file(page, to_html(loaded))
        click.echo(f"Wrote {page}.")


def _label(path: Path, among: tuple[Path, ...]) -> str:
    """What tells a report from the others: its file's name, or its folder's if that is equal."""
    alike = len({other for other in among if other.name == path.name}) > 1
    return str(path.parent) if alike else path.name.partition(".")[0]
