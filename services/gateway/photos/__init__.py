"""Receives, inspects, stores and lists photos."""
