"""Gives freed memory back to the kernel, keeps collections short, and tells how much this process may use."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from pathlib import Path

from headshots.processes.cpus import GROUPS, OWN_GROUPS, folders, read_text

BLOCK_BYTES = 256 * 1024
"""Blocks of so much and more are the kernel's again as soon as they are freed."""
HEAPS = 2
"""Heaps that all threads share."""
YOUNG_OBJECTS = 10_000
"""New containers between two collections of the youngest; Python's own number is 700."""
# Version 1 of control groups says "no limit" by a number of bytes that no machine has.
_NO_LIMIT_BYTES = 2**60
# glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def return_freed_memory() -> None:
    """Call before threads are started. Linux with glibc only; elsewhere nothing changes.

    By itself glibc keeps freed blocks of up to 32 MiB for later, in a heap of each thread: beside photos that come in
    whole, and threads that take turns, that is a hundred megabytes which nobody uses.
    """
    if not sys.platform.startswith("linux"):
        return
    # Another C library has no such function.
    with contextlib.suppress(AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        for option, value in (
            (_M_MMAP_THRESHOLD, BLOCK_BYTES),
            (_M_TRIM_THRESHOLD, BLOCK_BYTES),
            (_M_ARENA_MAX, HEAPS),
        ):
            set_option(option, value)


def shorten_collections() -> None:
    """Call once a service is started. From then on Python's collector passes over all that is there by now.

    Modules, statements and parts of a service stay for as long as it runs, and are a hundred thousand objects: to look
    through them again stops all threads for 60 to 200 ms, every few seconds under load. What is made later is collected
    as ever, only in larger lots: a request's objects are gone before its lot is full, and are never looked through.
    """
    # First, or what is garbage by now would stay.
    gc.collect()
    gc.freeze()
    _, middle, old = gc.get_threshold()
    gc.set_threshold(YOUNG_OBJECTS, middle, old)


def memory_limit(groups: Path = GROUPS, own_groups: Path = OWN_GROUPS) -> int | None:
    """Bytes that this process and others of its control groups may take together; None: no limit is set."""
    names = {True: "memory.limit_in_bytes", False: "memory.max"}
    texts = [read_text(folder / names[is_first]) for folder, is_first in folders("memory", groups, own_groups)]
    limits = [int(text) for text in texts if text.isdecimal() and int(text) < _NO_LIMIT_BYTES]
    return min(limits, default=None)
