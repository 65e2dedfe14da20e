"""Tells of erasures once what was erased is gone."""
