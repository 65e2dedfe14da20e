"""Finds tenants, and checks that a subject belongs to the tenant that asks."""
