"""Writes for a terminal of any width: lines that break between words, colours, the help of commands."""
