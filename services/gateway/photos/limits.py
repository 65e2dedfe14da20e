"""Limits the number of photos and the size of one."""

MIN_TRAINING_PHOTOS = 6
"""Photos of a training, at least."""
MAX_PHOTOS = 100
"""Photos of a subject, and of one stream, at most."""
MAX_PHOTO_BYTES = 20 * 2**20
"""Bytes of an uploaded photo, at most."""
