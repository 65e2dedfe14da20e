"""Trainers and generators as the gateway sees them."""
