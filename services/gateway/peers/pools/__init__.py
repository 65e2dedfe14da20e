"""Pools of trainers and generators, one a foundation: which there are, what they run, and what goes to which."""
