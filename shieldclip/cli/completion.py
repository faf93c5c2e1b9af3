"""``shieldclip completion``."""

from __future__ import annotations

import click

PREPARATION = {
    # Otherwise bash takes shieldclip:NAME for three words.
    "bash": "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n",
    "zsh": "",
    "fish": "",
}
"""What a shell needs besides click's own script."""


@click.command()
@click.argument("shell", type=click.Choice(list(PREPARATION)))
def completion(shell: str) -> None:
    """Print what switches completion on in SHELL.

    bash: put `eval "$(shieldclip completion bash)"` into ~/.bashrc. zsh: the same with zsh into
    ~/.zshrc. fish: write the output to ~/.config/fish/completions/shieldclip.fish.
    """
    from click.shell_completion import get_completion_class

    from shieldclip.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None  # click has all three
    script = kind(cli, {}, "shieldclip", "_SHIELDCLIP_COMPLETE").source()
    click.echo(PREPARATION[shell] + script)
