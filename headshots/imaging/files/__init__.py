"""Reads what image files are and how they are built, without decoding them."""
