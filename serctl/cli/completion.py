"""``serctl completion``: the script that completes commands in a shell."""

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

EXAMPLES = """\b
Examples:
  serctl completion bash >> ~/.bashrc
  serctl completion zsh >> ~/.zshrc
  serctl completion fish > ~/.config/fish/completions/serctl.fish
  serctl completion powershell >> $PROFILE
"""

# As click's own scripts do for the other shells: serctl itself answers, in lines of type and value.
POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:%(complete_var)s = "powershell_complete"
    $env:COMP_WORDS = $commandAst.ToString()
    $env:COMP_CWORD = $wordToComplete
    try {
        %(prog_name)s | ForEach-Object {
            $type, $value, $help = $_ -split "`t", 3
            if ($type -eq "plain") {
                if (-not $help) { $help = $value }
                $result = [System.Management.Automation.CompletionResult]
                $result::new($value, $value, "ParameterValue", $help)
            }
        }
    } finally {
        Remove-Item Env:%(complete_var)s, Env:COMP_WORDS, Env:COMP_CWORD
    }
}
"""


@add_completion_class
class PowerShellComplete(ShellComplete):
    """Completion in PowerShell, which click does not bring."""

    name = "powershell"
    source_template = POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """Words before the one to complete, and that one."""
        import os
        import shlex

        incomplete = os.environ.get("COMP_CWORD", "")
        try:
            words = shlex.split(os.environ.get("COMP_WORDS", ""), posix=False)[1:]
        except ValueError:  # a quote that is still open
            words = os.environ.get("COMP_WORDS", "").split()[1:]
        if incomplete and words and words[-1] == incomplete:
            words.pop()
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """One line: type, value and help, separated by tabs."""
        return f"{item.type}\t{item.value}\t{item.help or ''}"


def complete_models(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of bundled models that begin so; a folder is one too, so files are completed besides."""
    from serctl.weights import bundled_models

    found = [CompletionItem(name) for name in bundled_models() if name.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="dir")]


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
def completion(shell: str) -> None:
    """Print the script that completes serctl in a SHELL.

    It completes commands, options and their values, such as models and splits.
    """
    from click.shell_completion import get_completion_class

    from serctl.cli import cli

    made = get_completion_class(shell)
    assert made is not None
    script = made(cli, {}, "serctl", "_SERCTL_COMPLETE")
    click.echo(script.source())
