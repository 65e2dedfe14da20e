"""Creates, follows, watches and cancels shoots: orders of accepted portraits, from the photos to the gallery."""
