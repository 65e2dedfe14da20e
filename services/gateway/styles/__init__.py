"""The style library."""
