"""Latents to pixels, and pixels to image files."""
