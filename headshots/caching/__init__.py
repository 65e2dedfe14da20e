"""Decides what leaves a full cache. Plain Python: no I/O, no clock."""
