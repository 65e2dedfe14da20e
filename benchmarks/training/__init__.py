"""Measures how good trainings are and how long they take, on people that no training has seen: see ``__main__``."""
