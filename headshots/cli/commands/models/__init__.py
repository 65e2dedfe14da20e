"""Defines the commands about what portraits are made with: foundations, engine packages, analyzers."""
