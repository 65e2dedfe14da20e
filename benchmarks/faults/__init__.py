"""Measures what the services withstand: hostile photos and calls, deaths, greedy tenants."""
