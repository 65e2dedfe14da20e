"""The parts of `make bench-faults` that judge: what they call memory, a loss or a defect, and what hurts."""

from __future__ import annotations

import contextlib
import errno
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.faults import __main__ as bench
from benchmarks.faults.corpus import corpus
from benchmarks.faults.fuzz import Answer
from benchmarks.faults.injuries import Fault, draw, frozen, locked, without_room
from benchmarks.faults.messages import Requests
from benchmarks.faults.photos import Memory
from benchmarks.faults.report import FULL, QUICK, TARGETS
from benchmarks.report import Measured
from tests.support.contract import CALLS


def test_memory_is_that_of_a_process_and_its_children() -> None:
    held = "import sys, subprocess; kept = b'x' * 60_000_000; "
    child = f"{held}print('ready', flush=True); sys.stdin.read()"
    parent = f"{held}subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    memory = Memory(process.pid, "now")
    with memory.watched():
        while not memory.peak_bytes:
            time.sleep(0.01)
    process.communicate()
    assert 120_000_000 < memory.peak_bytes < 250_000_000
    assert memory.peak_label == "now"


def test_the_corpus_is_200_different_files_of_a_seed() -> None:
    first, again = corpus(1, 200), corpus(1, 200)
    assert len({sample.name for sample in first}) == 200
    assert [sample.name for sample in corpus(1, 9)] == [sample.name for sample in corpus(1, 9)]
    light = [number for number, sample in enumerate(first) if not sample.heavy][::12]
    assert [first[number].make() for number in light] == [again[number].make() for number in light]


def test_requests_are_the_same_for_a_seed_and_of_every_kind() -> None:
    def made(seed: int) -> list[list[bytes]]:
        requests = Requests(random.Random(seed), ["subjects/a"], [b"file"])
        return [requests.of(call) for call in CALLS for _ in range(30)]

    assert made(1) == made(1) != made(2)
    wires = [wire for request in made(1) for wire in request]
    assert b"" in wires
    assert max(map(len, wires)) > 100_000
    assert any(b"subjects/a" in wire for wire in wires)


@pytest.mark.parametrize(
    ("answer", "explained"),
    [
        (Answer("OK", "", ""), True),
        (Answer("", "", ""), True),
        (Answer("NOT_FOUND", "SUBJECT_NOT_FOUND", ""), True),
        (Answer("RESOURCE_EXHAUSTED", "", "larger than max"), True),
        (Answer("INTERNAL", "INTERNAL", ""), False),
        (Answer("UNKNOWN", "", ""), False),
        (Answer("DEADLINE_EXCEEDED", "", ""), False),
        (Answer("DEADLINE_EXCEEDED", "UPLOAD_IDLE", ""), True),
        (Answer("UNAVAILABLE", "", "connection reset"), False),
    ],
)
def test_a_defect_and_silence_are_unexplained(answer: Answer, explained: bool) -> None:
    assert answer.explained is explained


def test_faults_hit_every_service_and_end_at_most_two_runs_of_a_training() -> None:
    for seed in range(20):
        faults = draw(random.Random(seed))
        assert len(faults) == 10
        assert {fault.service for fault in faults} == {"gateway", "trainer", "generator", "all"}
        assert {fault.kind for fault in faults} == {"kill", "freeze", "full-disk", "locked-database"}
        assert len([fault for fault in faults if fault.service == "trainer"]) == 2
    assert draw(random.Random(5)) == draw(random.Random(5))
    assert isinstance(draw(random.Random(5))[0], Fault)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that writes a file whenever it is told, and says how that went."""
    program = f"""
import sys
for line in sys.stdin:
    try:
        with open({str(tmp_path / "file")!r}, "ab") as file:
            file.write(b"x" * 100)
        print(0, flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.communicate()


def written(writer: subprocess.Popen[str]) -> int:
    """The error number of one write; 0 where it went well."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write("\n")
    writer.stdin.flush()
    return int(writer.stdout.readline())


def test_a_full_disk_fails_writes_and_has_room_again(writer: subprocess.Popen[str]) -> None:
    assert written(writer) == 0
    with without_room(writer.pid):
        assert written(writer) == errno.EFBIG
    assert written(writer) == 0


def test_a_frozen_process_stands_still_and_goes_on(writer: subprocess.Popen[str]) -> None:
    assert written(writer) == 0
    with frozen(writer.pid):
        # It stops when it next gets a core.
        states = (psutil.Process(writer.pid).status() for _ in range(30_000) if time.sleep(0.001) is None)
        assert psutil.STATUS_STOPPED in states
    assert written(writer) == 0


def test_a_locked_database_takes_no_write_until_it_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "headshots.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    let_go, is_locked = threading.Event(), threading.Event()
    thread = threading.Thread(target=locked, args=(path, lambda: (is_locked.set(), let_go.wait())))
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as other:
        thread.start()
        is_locked.wait()
        try:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("INSERT INTO t VALUES (1)")
        finally:
            let_go.set()
            thread.join()
        other.execute("INSERT INTO t VALUES (1)")


@pytest.mark.parametrize(("found", "more", "status"), [(99.0, [], 1), (100.0, [], 0), (99.0, ["--quick"], 0)])
def test_a_missed_target_is_said_and_ends_a_full_run_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: float, more: list[str], status: int
) -> None:
    async def part(scale: object, seed: int, folder: Path, say: object) -> Measured:
        assert (scale, seed) == (QUICK if more else FULL, 4)
        return Measured({"faults": found}, {"faults": {"kinds": {}}})

    monkeypatch.setattr(bench, "PARTS", {"faults": part})
    monkeypatch.setattr(sys, "argv", ["faults", "--seed", "4", "--out", str(tmp_path), *more])
    assert bench.main() == status
    result = json.loads((tmp_path / "faults.json").read_text("utf-8"))
    assert set(result["figures"]) == set(TARGETS)
    assert (result["figures"]["faults"], result["met"]["faults"]) == (found, found >= 100)
    assert result["figures"]["fuzzed_calls"] is None
    assert result["met"]["fuzzed_calls"] is None
    assert result["revision"]
    assert result["machine"]["cpu"]
