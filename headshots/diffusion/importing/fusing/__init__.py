"""Folds LoRA files into a foundation's frozen weights: those that make few steps enough, and any other."""
