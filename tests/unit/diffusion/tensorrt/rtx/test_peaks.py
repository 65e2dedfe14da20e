"""What a build's process has taken of memory at most is its own, and all of it."""

from __future__ import annotations

import subprocess
import sys

from headshots.diffusion.tensorrt.rtx.building import peak_bytes

LARGE = 600_000_000
CHILD = f"""
import os
from headshots.diffusion.tensorrt.rtx.building import peak_bytes
before = peak_bytes(os.getpid())
grown = bytearray(os.urandom(1)) * {LARGE // 2}
del grown
print(before, peak_bytes(os.getpid()), flush=True)
"""
# It has its memory while it starts the child, which inherits its `ru_maxrss`.
PARENT = f"""
import subprocess, sys
held = b"x" * {LARGE}
print(subprocess.run([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE, text=True, check=True).stdout)
"""


def test_a_child_tells_its_own_peak_and_not_that_of_who_started_it() -> None:
    told = subprocess.run([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, check=True).stdout
    before, after = map(int, told.split())
    assert 1_000_000 < before < LARGE // 2
    assert before + 0.9 * LARGE // 2 < after < LARGE, "also of what it has given back"


def test_a_process_that_has_ended_has_no_peak() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert peak_bytes(ended.pid) == 0
