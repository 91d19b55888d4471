"""`workersai completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    r"""Print the completion script of a shell; put it where the shell reads its settings.

    \b
    bash: workersai completion bash >> ~/.bashrc
    zsh:  workersai completion zsh >> ~/.zshrc
    fish: workersai completion fish > ~/.config/fish/completions/workersai.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} is not supported.")
    click.echo(kind(ctx.find_root().command, {}, "workersai", "_WORKERSAI_COMPLETE").source())
