"""Ends child processes with their parent, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, how: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel for the signal ``how`` when the process ``parent`` dies; ends at once where that has happened.

    Linux only: elsewhere a killed parent leaves its children. The kernel watches the *thread* that started this
    process, so start children from one that waits for them.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, how)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
