"""Measures the analyzer for photos of real people."""
