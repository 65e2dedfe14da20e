"""Tells where image files come from."""
