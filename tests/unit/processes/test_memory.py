"""Freed memory is the kernel's again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.paths import ROOT

# Photos of 1 MiB, with something small between them that stays.
SCRIPT = """
import sys
from pathlib import Path
from headshots.processes.memory import return_freed_memory

if sys.argv[1] == "returning":
    return_freed_memory()
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096
bytearray(2**20)
before = resident()
photos, kept = [], []
for _ in range(100):
    photos.append(bytearray(b"x") * 2**20)
    kept.append(bytearray(b"y") * 2000)
held = resident()
del photos
assert held - before > 90 * 2**20
print((resident() - before) // 2**20)
"""


def left_megabytes(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", SCRIPT, how], cwd=ROOT, check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_freed_memory_is_not_kept() -> None:
    assert left_megabytes("keeping") > 50, "or nothing would have to be done"
    assert left_megabytes("returning") < 10
