"""What is next is fair to tenants, as in the gateway's queue of shots and the trainer's of trainings."""

from __future__ import annotations

from headshots.simulation.queues import FairQueue
from headshots.simulation.trainers import Training


def test_the_tenant_with_the_least_under_way_comes_first_whoever_was_served_last() -> None:
    queue = FairQueue[Training]()
    for number, tenant in enumerate("aabbb"):
        queue.add(Training(tenant, number))
    first, second = queue.take(), queue.take()
    assert (first.order, second.order) == (0, 2)
    queue.done(second)
    assert (len(queue), queue.work) == (3, 4)
    assert queue.take().order == 3, "b has none under way, though it was served after a"
    assert queue.take().order == 1, "both have one, and a was served longer ago"
