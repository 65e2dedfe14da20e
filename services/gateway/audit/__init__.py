"""Records what is done to subjects, and by which key, in a log that only grows and shows when it was changed."""
