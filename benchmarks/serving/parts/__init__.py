"""Measures one thing each: parts that can be asked for alone."""
