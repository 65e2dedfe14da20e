"""Tenants, and the check that a subject is its caller's."""
