"""Who goes next: turns between tenants, priorities, a bounded queue, and nobody held up by the unready."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshots.errors import ResourceExhaustedError
from services.generator.scheduler import Scheduler, Ticket


def ticket(tenant: str = "a", *, high: bool = False, rows: int = 2, steps: int = 10, images: int = 1) -> Ticket:
    return Ticket(tenant, high, rows, steps, images, ready=True)


def drain(scheduler: Scheduler, free_rows: int = 2) -> list[Ticket]:
    """The order in which everything starts when rows are always free."""
    order = []
    while (found := scheduler.next(free_rows, lambda _: True)) is not None:
        order.append(found)
    return order


def test_within_a_tenant_the_oldest_goes_first() -> None:
    scheduler = Scheduler(10)
    tickets = [ticket() for _ in range(4)]
    assert [scheduler.submit(one) for one in tickets] == [0, 1, 2, 3]
    assert drain(scheduler) == tickets


def test_tenants_take_turns_whoever_came_first() -> None:
    scheduler = Scheduler(100)
    crowd = [ticket("crowd") for _ in range(20)]
    for one in crowd:
        scheduler.submit(one)
    guest = ticket("guest")
    assert scheduler.submit(guest) == 1, "behind one of the crowd's at most, not behind twenty"
    assert guest in drain(scheduler)[:2]


def test_turns_are_by_work_not_by_requests() -> None:
    scheduler = Scheduler(100)
    for _ in range(4):
        scheduler.submit(ticket("long", steps=30))
    for _ in range(12):
        scheduler.submit(ticket("short", steps=10))
    first = drain(scheduler)[:8]
    work = {tenant: sum(t.rows * t.steps for t in first if t.tenant == tenant) for tenant in ("long", "short")}
    assert abs(work["long"] - work["short"]) <= 2 * 30


def test_who_was_idle_comes_back_without_credit() -> None:
    scheduler = Scheduler(100)
    scheduler.submit(ticket("busy"))
    for _ in range(50):
        scheduler.submit(ticket("busy"))
        assert scheduler.next(2, lambda _: True) is not None
    for _ in range(10):
        scheduler.submit(ticket("late"))
        scheduler.submit(ticket("busy"))
    assert {one.tenant for one in drain(scheduler)[:4]} == {"busy", "late"}


def test_high_priority_goes_before_every_standard_request() -> None:
    scheduler = Scheduler(10)
    standard = [ticket("a"), ticket("b")]
    for one in standard:
        scheduler.submit(one)
    urgent = ticket("a", high=True)
    assert scheduler.submit(urgent) == 0
    assert drain(scheduler)[0] is urgent


def test_a_full_queue_refuses_and_takes_again_when_there_is_room() -> None:
    scheduler = Scheduler(2)
    first = ticket()
    scheduler.submit(first)
    scheduler.submit(ticket("b"))
    with pytest.raises(ResourceExhaustedError) as caught:
        scheduler.submit(ticket("c"), retry_after_seconds=7)
    assert (caught.value.reason, caught.value.retry_after_seconds) == ("QUEUE_FULL", 7)
    assert scheduler.withdraw(first)
    assert not scheduler.withdraw(first)
    scheduler.submit(ticket("c"))
    assert len(scheduler) == 2


def test_what_is_not_ready_or_finds_no_slot_holds_up_nobody() -> None:
    scheduler = Scheduler(10)
    loading, blocked, free = ticket("a"), ticket("b"), ticket("c")
    loading.ready = False
    for one in (loading, blocked, free):
        scheduler.submit(one)
    assert scheduler.next(2, lambda one: one is not blocked) is free
    assert len(scheduler) == 2


def test_narrow_requests_do_not_starve_a_wide_one() -> None:
    scheduler = Scheduler(10)
    wide, narrow = ticket("a", rows=2), ticket("b", rows=1)
    scheduler.submit(wide)
    scheduler.submit(narrow)
    assert scheduler.next(1, lambda _: True) is None, "one row is free, but it is the wide one's turn"
    assert scheduler.next(2, lambda _: True) is wide
    assert scheduler.next(1, lambda _: True) is narrow


def test_a_request_of_many_images_stays_until_the_last_has_started() -> None:
    scheduler = Scheduler(10)
    many = ticket(images=3)
    scheduler.submit(many)
    assert scheduler.row_steps == 60
    assert scheduler.next(2, lambda _: True) is many
    assert (len(scheduler), scheduler.row_steps, many.images) == (1, 40, 2)
    assert drain(scheduler) == [many, many]
    assert len(scheduler) == 0


def test_work_until_a_ticket_counts_what_goes_before_it() -> None:
    scheduler = Scheduler(10)
    scheduler.submit(ticket("a", steps=10))
    urgent = ticket("b", high=True, steps=5)
    scheduler.submit(urgent)
    last = ticket("a", steps=20)
    scheduler.submit(last)
    assert scheduler.row_steps_until(urgent) == 10
    assert scheduler.row_steps_until(last) == 10 + 20 + 40


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(1, 2), st.integers(1, 40), st.integers(1, 4)),
        max_size=30,
    )
)
def test_everything_starts_exactly_once_and_in_the_order_foretold(
    requests: list[tuple[str, bool, int, int, int]],
) -> None:
    scheduler = Scheduler(100)
    tickets = [Ticket(*request, ready=True) for request in requests]
    images = {one: one.images for one in tickets}
    for one in tickets:
        scheduler.submit(one)
    started = drain(scheduler)
    assert {one: started.count(one) for one in tickets} == images
    classes = [one.high for one in started]
    assert classes == sorted(classes, reverse=True), "high first"
    assert len(scheduler) == scheduler.row_steps == 0
