"""The result of a training: adapter files and their headers, provenance, contact sheet and card."""
