"""Whose shots are next."""
