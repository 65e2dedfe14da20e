"""Holds styles, which are prompt recipes: their fields and limits, the library of built-in ones, and their prompts."""
