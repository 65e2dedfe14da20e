"""Shows trainings and galleries, and the command that goes on with each."""
