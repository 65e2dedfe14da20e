"""Kills services at bad moments, and looks at what stays."""
