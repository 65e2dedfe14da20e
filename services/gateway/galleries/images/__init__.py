"""Keeps the tries of shots, and labels, lists and ranks the images of a gallery."""
