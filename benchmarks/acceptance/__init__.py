"""Measures what acceptance profiles accept and refuse, on people whom nothing else was tried on."""
