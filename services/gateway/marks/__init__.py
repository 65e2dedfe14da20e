"""Knows which watermarks were given out, and which images they stand for."""
