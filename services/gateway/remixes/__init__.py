"""Tells of a remix that changes one thing which pixels are repainted, and in which words."""
