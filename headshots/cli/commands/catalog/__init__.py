"""Defines the commands for what orders are made of: styles, packs of them, and acceptance profiles."""
