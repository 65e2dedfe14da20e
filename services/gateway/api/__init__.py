"""Holds what the public calls of all resources share: names, pages, request ids, errors, times and states."""
