"""Describes a foundation's folder without loading its weights. Imports no torch."""
