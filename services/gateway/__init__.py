"""The public API: one room a resource, and the rooms that their work needs."""
