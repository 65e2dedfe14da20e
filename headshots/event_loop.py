"""Runs a service on uvloop where that is installed, and on asyncio's own loop where it is not, or is asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")
EVENT_LOOPS = ("uvloop", "asyncio")
"""What a service's setting EVENT_LOOP may be."""
CURE = "pip install -c constraints.txt uvloop, or set EVENT_LOOP to asyncio where there is none for the system"

_LOG = logging.getLogger(__name__)


def run(main: Coroutine[Any, Any, ResultT], wanted: str) -> ResultT:
    """As `asyncio.run`, on the loop that is ``wanted``, one of `EVENT_LOOPS`.

    Where uvloop cannot be imported asyncio's loop is taken, which does the same and takes longer for it, and the log
    has a warning. Which loop runs is told by the server when it listens.
    """
    with asyncio.Runner(loop_factory=_factory(wanted)) as runner:
        return runner.run(main)


def _factory(wanted: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    assert wanted in EVENT_LOOPS
    if wanted == "asyncio":
        return None
    if (why := why_not_uvloop()) is not None:
        _LOG.warning("the event loop is asyncio's, as uvloop cannot be imported (%s): calls take longer; %s", why, CURE)
        return None
    import uvloop

    return uvloop.new_event_loop


def why_not_uvloop() -> str | None:
    """What Python says where uvloop cannot be imported; None where it can."""
    try:
        # Not at the top: there is none for some systems, and whoever wants asyncio's loop imports nothing.
        import uvloop  # noqa: F401
    except ImportError as error:
        return str(error)
    return None


def running_loop() -> str:
    """The name of the loop that runs the caller: `uvloop` or `asyncio`."""
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]
