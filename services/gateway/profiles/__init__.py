"""Keeps the tenants' own acceptance profiles beside the built-in ones."""
