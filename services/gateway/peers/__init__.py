"""Calls trainers and generators."""
