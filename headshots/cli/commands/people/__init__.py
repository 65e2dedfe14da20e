"""Defines the commands about what people agreed to, and how long they are kept."""
