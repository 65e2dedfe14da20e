"""How many photos a subject may have and how large one may be."""

MIN_TRAINING_PHOTOS = 6
"""Photos that a training needs."""
MAX_PHOTOS = 100
"""Photos of a subject, and of one stream."""
MAX_PHOTO_BYTES = 20 * 2**20
"""Bytes of an uploaded photo."""
