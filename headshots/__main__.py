"""`python -m headshots` is `headshots`."""

from headshots.cli import main

main()
