"""The command line: one file per command, imported only when it is called."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module

import click

COMMANDS = {
    "card": "Write the model card of a checkpoint from its report.",
    "choose-poisons": "Choose the pairs to poison that a defence would suspect least.",
    "compare": "Compare checkpoints over their reports, as a table or a page.",
    "completion": "Print what switches completion on in a shell.",
    "demo": "Compare a plain and a shielded model in the browser.",
    "eval": "Measure checkpoints against backdoors and poisoning.",
    "explain": "Show what models attend to, without and with a trigger.",
    "export": "Write a checkpoint in a format that other libraries load.",
    "knowledge": "Write what can be seen of classes or captions, for training.",
    "match": "Find pairs whose caption does not fit, and clean a data set.",
    "models": "List the checkpoints that are shipped.",
    "optimize-trigger": "Optimise a patch against a checkpoint (BadCLIP).",
    "poison": "Poison a data set, with a manifest of what was done.",
    "push": "Publish a checkpoint with its report and card on the Hugging Face Hub.",
    "train": "Train a model by a recipe, plain or defended.",
    "triggers": "List triggers, or draw them on a sheet.",
}
"""Each command with its line of help; its module has the command's name, with underscores."""


class LazyGroup(click.Group):
    """Knows its commands by name and imports the one that runs."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"shieldclip.cli.{cmd_name.replace('-', '_')}")
        return next(value for value in vars(module).values() if isinstance(value, click.Command))

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup)
@click.version_option(package_name="shieldclip")
def cli() -> None:
    """Measure, defend and retrain CLIP models against backdoors and data poisoning."""


def main() -> None:
    """Runs the command line; what a user did wrong becomes one line and exit code 2."""
    from shieldclip.errors import ShieldCLIPError

    warnings.showwarning = _show_warning
    try:
        cli(prog_name="shieldclip")
    except ShieldCLIPError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


def _show_warning(
    message: Warning | str, category: type[Warning], *_place: object, **_more: object
) -> None:
    """One line for a reader, without the place in the code; red where trust is at stake."""
    from shieldclip.errors import UntrustworthyWarning

    grave = issubclass(category, UntrustworthyWarning)
    click.secho(f"Warning: {message}", err=True, bold=grave, fg="red" if grave else None)
