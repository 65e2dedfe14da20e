"""Logs erasures, so that nobody comes back from a backup, records them, and signs a receipt for each."""
