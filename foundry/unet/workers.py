"""Has portraits drawn ahead of need by processes that know no torch.

They are started as commands of their own: a fork of a process that computes with torch may hang, and a spawned one
would import all of torch with the main module.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType

from foundry.unet.drawing import Drawn, Order, draw


class Workers:
    """Draws orders in ``count`` processes, or in this one if there are none. Answers keep the order of the orders."""

    def __init__(self, count: int) -> None:
        """``count``: of processes, 0 or more."""
        command = [sys.executable, "-m", "foundry.unet.drawing_worker"]
        self.processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(count)
        ]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self.processes:
            self._idle.put(process)
        # Threads only wait for the processes, one each.
        self._threads = ThreadPoolExecutor(max(count, 1), thread_name_prefix="drawing")

    @property
    def ahead(self) -> bool:
        """Whether orders are drawn in the background."""
        return bool(self.processes)

    def submit(self, orders: Sequence[Order]) -> list[Future[Drawn]]:
        """Have all of them drawn, in the background where there are processes.

        A future raises RuntimeError if the process that drew for it has ended.
        """
        if self.processes:
            return [self._threads.submit(self._ask, order) for order in orders]
        return [_done(draw(order)) for order in orders]

    def close(self) -> None:
        """End the processes, after what they are drawing; what was submitted and has not begun is never drawn."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self.processes:
            assert process.stdin is not None
            assert process.stdout is not None
            # What was left to be sent to one that died is of no use to anybody.
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
            process.stdout.close()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, order: Order) -> Drawn:
        process = self._idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(order, process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            drawn: Drawn = pickle.load(process.stdout)
        except (BrokenPipeError, EOFError, pickle.UnpicklingError) as error:
            raise RuntimeError(
                f"a process that draws portraits ended with {process.wait()}; its own message stands above, "
                "and the training resumes from its last checkpoint when it is started again"
            ) from error
        finally:
            self._idle.put(process)
        return drawn


def _done(drawn: Drawn) -> Future[Drawn]:
    future: Future[Drawn] = Future()
    future.set_result(drawn)
    return future
