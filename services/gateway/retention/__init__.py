"""Keeps how long each subject is kept, and tells whose time has come."""
