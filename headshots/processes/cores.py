"""Keeps a process that crashes from leaving its memory, which shows people, in a file."""

from __future__ import annotations

import resource


def leave_no_core() -> None:
    """Have the system write no core file of this process and of those that it starts.

    A system that pipes cores to a program, as systemd-coredump, asks no process: there the operator switches it off.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
