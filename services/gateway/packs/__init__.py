"""Lists and finds the packs of built-in styles."""
