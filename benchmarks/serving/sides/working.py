"""Is a process of a side: makes the side, then answers what it is sent."""

from __future__ import annotations

import asyncio
import traceback
import warnings
from multiprocessing.connection import Connection
from typing import Any

from diffusers.utils import logging
from transformers.utils import logging as transformers_logging

from benchmarks.serving.sides.kinds import KINDS
from benchmarks.serving.sides.side import Spec

READY = "ready"


def work(connection: Connection, spec: Spec) -> None:
    """Serve until None comes. A call that fails is answered with its error."""
    # diffusers warns at every load that an adapter of the UNet alone has nothing for the text encoder.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    # PEFT warns of a second adapter in one model, which is what preloading is about.
    warnings.filterwarnings("ignore", message="Already found a `peft_config`")
    asyncio.run(_serve(connection, spec))


async def _serve(connection: Connection, spec: Spec) -> None:
    spec.folder.mkdir(parents=True, exist_ok=True)
    async with KINDS[spec.name].open(spec) as side:
        connection.send(READY)
        tasks: set[asyncio.Task[None]] = set()
        while (message := await asyncio.to_thread(_receive, connection)) is not None:
            task = asyncio.create_task(_answer(connection, side, *message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


def _receive(connection: Connection) -> Any:
    try:
        return connection.recv()
    except EOFError:
        # The benchmark is gone.
        return None


async def _answer(connection: Connection, side: Any, number: int, method: str, given: tuple[Any, ...]) -> None:
    try:
        answer = await getattr(side, method)(*given)
    except Exception as error:  # noqa: BLE001 - whatever it was, the benchmark is told
        connection.send((number, None, f"{error!r}\n{traceback.format_exc()}"))
    else:
        connection.send((number, answer, None))
