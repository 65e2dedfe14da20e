"""Runs the command line, `headshots`. `headshots --help` imports no gRPC, no database and no torch."""

from __future__ import annotations


def main() -> None:
    """Run the command that the arguments name; ends the process with an exit code of `exits.ExitCode`."""
    # Imported here: `import headshots.cli` stays cheap.
    from headshots.cli.app import app

    app(prog_name="headshots")
