"""Tells what the foundations that generators run can paint."""
