"""Workers draw what was ordered, in order, and tell of one that died."""

from __future__ import annotations

import numpy as np
import pytest

from foundry.unet.drawing import Order, draw
from foundry.unet.workers import Workers

ORDERS = [Order(seed=2, first=first, count=2, framing="wide") for first in (0, 2, 4)]


def test_processes_draw_what_this_one_would_and_a_dead_one_is_told_of() -> None:
    with Workers(2) as workers:
        found = [future.result() for future in workers.submit(ORDERS)]
        for order, drawn in zip(ORDERS, found, strict=True):
            assert np.array_equal(drawn.pixels, draw(order).pixels)
        for process in workers.processes:
            process.terminate()
            process.wait()
        with pytest.raises(RuntimeError, match="resumes from its last checkpoint"):
            workers.submit(ORDERS[:1])[0].result()
    assert all(process.returncode is not None for process in workers.processes)


def test_without_processes_orders_are_drawn_here() -> None:
    with Workers(0) as workers:
        assert not workers.ahead
        (future,) = workers.submit(ORDERS[:1])
        assert np.array_equal(future.result().pixels, draw(ORDERS[0]).pixels)
