"""Holds an exported engine against stock diffusers on the operator's own machine."""
