"""Serves the same requests as each side would: ours, and what a team would build without it."""
