"""Queues, watches and cancels trainings, and keeps their rows in step with the trainers' jobs."""
