"""Measures serving many subjects: our engine against what a team would write with stock diffusers and PEFT."""
