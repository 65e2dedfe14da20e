"""Measures what people see: pages, portraits and the command line."""
