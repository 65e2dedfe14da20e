"""headshots: selfies in, a personal LoRA, a gallery out."""

__version__ = "0.1.0"
