"""Limits the number of shots of a gallery and their seeds."""

MAX_SHOTS = 160
"""Shots of a gallery, at most."""
DEFAULT_SHOTS_PER_STYLE = 4
"""Shots of each style where the caller names no number."""
SEEDS = 2**32
"""Seeds are numbers below this."""
