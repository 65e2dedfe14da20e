"""Services run on uvloop where it is there, and say so where it is not."""

from __future__ import annotations

import sys

import pytest

from headshots.event_loop import EVENT_LOOPS, run, running_loop


async def _loop() -> str:
    return running_loop()


@pytest.mark.parametrize("wanted", EVENT_LOOPS)
def test_the_loop_that_is_wanted_runs(wanted: str, caplog: pytest.LogCaptureFixture) -> None:
    assert run(_loop(), wanted) == wanted
    assert caplog.records == []


def test_where_there_is_no_uvloop_asyncio_runs_and_the_log_tells_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert run(_loop(), "uvloop") == "asyncio"
    (told,) = caplog.records
    assert told.levelname == "WARNING"
    assert "the event loop is asyncio's, as uvloop cannot be imported (" in told.getMessage()
    assert "pip install" in told.getMessage()
