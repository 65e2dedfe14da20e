"""Subjects: made, found, listed, erased."""
