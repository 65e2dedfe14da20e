"""Calls the gateway about looks and about teams that are painted in them."""
