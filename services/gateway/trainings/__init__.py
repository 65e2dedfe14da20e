"""Trainings: queued, kept in step with trainers, watched, cancelled."""
