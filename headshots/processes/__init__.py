"""Runs services and other modules as child processes that end when their parent does."""
