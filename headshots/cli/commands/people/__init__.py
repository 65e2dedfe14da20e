"""Defines the commands about what people agreed to."""
