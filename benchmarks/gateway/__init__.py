"""Measures the gateway; see `__main__`."""
