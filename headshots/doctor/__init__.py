"""Checks what a service depends on without starting it: the checks, and the process that runs those of one service."""
