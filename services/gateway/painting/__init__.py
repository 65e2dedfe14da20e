"""Paints shots by calling generators, and measures the likeness of the images."""
