"""Runs `headshots demo`: the main job from selfies to a gallery page, with three services on this machine."""
