"""Keeps the tries of shots, and lists and ranks the images of a gallery."""
