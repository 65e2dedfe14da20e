"""Defines the commands about finished images: labels, links, and what a file says of its origin."""
