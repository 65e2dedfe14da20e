"""A photo that takes too much of a decoding process is stopped with it, and the next photo is served."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from headshots.errors import InternalError, InvalidPhotoError
from headshots.imaging import PhotoLimits, decode_photo, open_photo
from headshots.imaging.workers.pool import DecoderLimits, DecoderPool
from tests.support.images import costly
from tests.support.images.photo_files import SMALL, encoded, picture
from tests.support.waiting import until

LIMITS = PhotoLimits()
PHOTO = encoded(picture(), "PNG")
MEASURE, BURN, FILL = (f"tests.support.images.called:{name}" for name in ("measure", "burn", "fill"))


@contextmanager
def pool_of(size: int, stopped: list[str] | None = None, **limits: float) -> Iterator[DecoderPool]:
    pool = DecoderPool(size, DecoderLimits(**limits), ([] if stopped is None else stopped).append)  # type: ignore[arg-type]
    try:
        yield pool
    finally:
        pool.close()


async def refused(pool: DecoderPool, data: bytes, limits: PhotoLimits = LIMITS) -> str:
    with pytest.raises(InvalidPhotoError) as caught:
        await pool.normalise(data, limits)
    assert len(caught.value.message) > 30, "the message tells the cure"
    return caught.value.reason


async def test_answers_are_those_of_the_decoder() -> None:
    with pool_of(1) as pool:
        assert await pool.normalise(PHOTO, SMALL) == decode_photo(PHOTO, SMALL)
        assert (np.asarray(await pool.open(PHOTO, SMALL)) == np.asarray(open_photo(PHOTO, SMALL))).all()
        assert await refused(pool, b"no image") == "PHOTO_UNDECODABLE"
        assert await refused(pool, bytes(200_001), SMALL) == "PHOTO_TOO_LARGE"
        assert len(pool.pids()) == 1


async def test_another_function_is_called_with_its_arguments_under_the_same_limits() -> None:
    stopped: list[str] = []
    with pool_of(1, stopped, cpu_seconds=1.0) as pool:
        size = {"width": open_photo(PHOTO, SMALL).width, "unit": "px"}
        assert await pool.call(MEASURE, PHOTO, SMALL, unit="px") == size
        with pytest.raises(InvalidPhotoError) as undecodable:
            await pool.call(MEASURE, b"no image", SMALL, unit="px")
        assert undecodable.value.reason == "PHOTO_UNDECODABLE"
        for costly_one in (BURN, FILL):
            with pytest.raises(InvalidPhotoError) as caught:
                await pool.call(costly_one, PHOTO, SMALL)
            assert caught.value.reason == "PHOTO_TOO_COSTLY"
        with pytest.raises(InternalError, match="DECODER_FAILED"):
            await pool.call(MEASURE, PHOTO, SMALL)
        assert await pool.call(MEASURE, PHOTO, SMALL, unit="px") == size
    assert stopped == ["cpu"], "what has too little memory is told so, and its process goes on"


@pytest.mark.parametrize(
    ("cause", "limits"),
    [("cpu", {"cpu_seconds": 0.05}), ("time", {"wall_seconds": 0.05})],
)
async def test_a_photo_that_takes_too_long_is_killed_and_the_next_is_served(
    cause: str, limits: dict[str, float]
) -> None:
    stopped: list[str] = []
    with pool_of(1, stopped, **limits) as pool:
        before = pool.pids()
        assert await refused(pool, costly.png(3000, 3000, colour=6)) == "PHOTO_TOO_COSTLY"
        assert stopped == [cause]
        after = pool.pids()
        assert len(after) == 1
        assert after != before
        # The process that came instead serves: a small photo fits into these limits once it is warm.
        for _ in range(20):
            try:
                assert (await pool.normalise(PHOTO, SMALL)).width == 96
                return
            except InvalidPhotoError:
                continue
        pytest.fail("no photo was served again")


async def test_memory_is_limited_by_the_kernel() -> None:
    with pool_of(1, memory_bytes=40 * 2**20) as pool:
        assert await refused(pool, costly.png(5000, 5000, colour=2)) == "PHOTO_TOO_COSTLY"
        assert (await pool.normalise(PHOTO, SMALL)).width == 96


@pytest.mark.parametrize(("number", "cause"), [(signal.SIGKILL, "memory"), (signal.SIGSEGV, "crash")])
async def test_a_process_that_dies_over_a_photo_is_replaced(number: signal.Signals, cause: str) -> None:
    stopped: list[str] = []
    with pool_of(1, stopped) as pool:
        assert (await pool.normalise(PHOTO, SMALL)).width == 96
        (pid,) = pool.pids()
        os.kill(pid, signal.SIGSTOP)
        asked = asyncio.create_task(refused(pool, PHOTO))
        await asyncio.sleep(0.2)
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)
        assert await asked == "PHOTO_TOO_COSTLY"
        assert stopped == [cause]
        assert (await pool.normalise(PHOTO, SMALL)).width == 96


async def test_a_process_that_died_between_photos_costs_none() -> None:
    stopped: list[str] = []
    with pool_of(1, stopped) as pool:
        (pid,) = pool.pids()
        assert (await pool.normalise(PHOTO, SMALL)).width == 96
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not _runs(pid))
        assert (await pool.normalise(PHOTO, SMALL)).width == 96
        assert stopped == []


async def test_several_photos_are_decoded_at_once() -> None:
    with pool_of(2) as pool:
        assert (await pool.normalise(PHOTO, SMALL)).width == 96
        first, _ = pool.pids()
        os.kill(first, signal.SIGSTOP)
        try:
            # One of the two waits for the process that stands still, the other does not wait for it.
            asked = {asyncio.create_task(pool.normalise(PHOTO, SMALL)) for _ in range(2)}
            done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            assert len(done) == 1
        finally:
            os.kill(first, signal.SIGCONT)
        await asyncio.gather(*waiting)


async def test_a_closed_pool_leaves_no_process() -> None:
    with pool_of(2) as pool:
        pids = pool.pids()
        assert len(set(pids)) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_secrets_of_the_environment_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_DATABASE_URL", "postgresql://user:secret@host/db")
    with pool_of(1) as pool:
        (pid,) = pool.pids()
        assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()


_PARENT = """
import asyncio, sys
from headshots.imaging import PhotoLimits
from headshots.imaging.workers.pool import DecoderPool
from tests.support.images.photo_files import encoded, picture
pool = DecoderPool(1)
asyncio.run(pool.normalise(encoded(picture(), "PNG"), PhotoLimits()))
print(*pool.pids(), flush=True)
sys.stdin.read()
"""


async def test_processes_end_with_a_parent_that_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PARENT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in (await parent.stdout.readline()).split()]
    assert len(pids) == 1
    # As in the middle of a photo, it does not read the end of its input.
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    parent.kill()
    await parent.wait()
    try:
        await until(lambda: not any(_runs(pid) for pid in pids))
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_defect_is_no_fault_of_the_photo() -> None:
    with pool_of(1) as pool, pytest.raises(InternalError):
        await pool.normalise(PHOTO, PhotoLimits(max_bytes="many"))  # type: ignore[arg-type]
