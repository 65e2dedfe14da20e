"""Configures the progress bar of every stage."""

from tqdm import tqdm  # type: ignore[import-untyped]

__all__ = ["tqdm"]
