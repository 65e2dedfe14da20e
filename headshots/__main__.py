"""Runs `headshots` as `python -m headshots`."""

from headshots.cli import main

main()
