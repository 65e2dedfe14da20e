"""Prepares packages for TensorRT: checks what its parser takes, makes shape profiles, keeps built engines."""
