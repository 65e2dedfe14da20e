"""How many shots a gallery may have, and from which seeds they are painted."""

MAX_SHOTS = 160
"""Shots of a gallery."""
DEFAULT_SHOTS_PER_STYLE = 4
"""Shots of each style where the caller names no number."""
SEEDS = 2**32
"""Seeds are numbers below this."""
