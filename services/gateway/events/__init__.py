"""Waking and feeding those who watch a training or a gallery."""
