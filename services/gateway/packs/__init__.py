"""Keeps the tenants' own packs of styles beside the built-in ones."""
