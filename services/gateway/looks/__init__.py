"""Keeps the tenants' looks: what the portraits of a team have in common."""
