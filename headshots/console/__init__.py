"""Talks to a person at a terminal: exit codes, tables, progress bars, waiting for jobs, photos in folders."""
