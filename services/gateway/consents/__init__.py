"""Keeps what subjects agreed to, and tells whether it lets them be trained and painted."""
