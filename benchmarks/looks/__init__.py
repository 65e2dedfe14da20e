"""Measures what is made of finished images: remixes that change one thing."""
