"""Checkpoint selection: sampling portraits, judging them, and choosing a checkpoint by its scores."""
