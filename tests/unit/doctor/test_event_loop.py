"""The doctor tells where a service would run on asyncio's event loop although uvloop is wanted."""

from __future__ import annotations

import sys

import pytest

from headshots.doctor.findings import Result, State
from headshots.doctor.processes import event_loop_check
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor


def _look(wanted: str) -> Result:
    (result,) = run("gateway", [event_loop_check(wanted)], Redactor({}))
    return result


@pytest.mark.parametrize("wanted", ["uvloop", "asyncio"])
def test_one_that_is_there_is_well(wanted: str) -> None:
    found = _look(wanted)
    assert (found.state, found.seen) == (State.OK, wanted)


def test_uvloop_that_is_missing_is_a_warning_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    found = _look("uvloop")
    assert found.state is State.WARNING
    assert "uvloop cannot be imported" in found.seen
    assert "set EVENT_LOOP to asyncio" in found.cure
    assert _look("asyncio").state is State.OK
