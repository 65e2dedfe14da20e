"""Wakes the watchers of a training or gallery, and sends them previews."""
