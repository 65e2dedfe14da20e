"""Limits the shots of a gallery: their number, their seeds, and how many workers may be lost with one; defaults."""

MAX_SHOTS = 160
"""Shots of a gallery, at most."""
DEFAULT_SHOTS_PER_STYLE = 4
"""Shots of each style where the caller names no number."""
TRIES_OF_OTHERS = 3
"""A shot is tried up to so many times `max_tries` from what the gallery's other shots leave."""
SEEDS = 2**32
"""Seeds are numbers below this."""
ALONE_AFTER_LOSSES = 2
"""A shot that so many workers were lost with is painted by one that holds nothing else."""
MAX_LONE_LOSSES = 2
"""A shot that so many different workers were lost with while they held nothing else is given up."""
DEFAULT_PROFILE = "profile-worthy"
"""The acceptance profile where the caller names none."""
