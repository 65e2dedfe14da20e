"""Commands for who plans how large a platform must be."""
