"""Digests of what a revision makes from fixed photos and seeds, to show that a refactoring changes no result."""
