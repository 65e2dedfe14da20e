"""Measures what the services withstand: hostile photos and calls, deaths at bad moments, greedy tenants."""
