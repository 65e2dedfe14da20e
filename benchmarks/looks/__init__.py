"""Measures what people see: teams in one look, remixes, estimates, and the command line at any width."""
