"""Freed memory is the kernel's again, and what is there at the start of a service is not looked through for garbage."""

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


COLLECTING = """
import gc, weakref
from headshots.processes.memory import YOUNG_OBJECTS, shorten_collections

class Thing:
    def __init__(self):
        self.me = self

gc.disable()
old = weakref.ref(Thing())
kept = [Thing() for _ in range(1000)]
shorten_collections()
assert old() is None, "garbage of the start stayed"
assert gc.get_threshold()[0] == YOUNG_OBJECTS
assert not any(each is kept[0] for each in gc.get_objects()), "the collector still looks through what was there"
gc.enable()
new = weakref.ref(Thing())
lots = [[] for _ in range(3 * YOUNG_OBJECTS)]
assert new() is None, "garbage of later stays"
"""


def test_the_collector_passes_over_what_is_there_and_collects_what_comes() -> None:
    subprocess.run([sys.executable, "-c", COLLECTING], cwd=ROOT, check=True)
