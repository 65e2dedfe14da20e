"""Decides which generator a request goes to. Plain Python: no I/O, no clock."""
