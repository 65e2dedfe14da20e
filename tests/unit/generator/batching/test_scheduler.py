"""The scheduler: a fair share for tenants, priorities, a bounded queue, and requests that are not ready passed over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headshots.errors import ResourceExhaustedError
from services.generator.batching.scheduler import Ahead, Scheduler, Ticket


def ticket(tenant: str = "a", *, high: bool = False, rows: int = 2, steps: int = 10, images: int = 1) -> Ticket:
    return Ticket(tenant, high, rows, rows * steps, images, ready=True)


def submit(scheduler: Scheduler, one: Ticket) -> int:
    """Queue it; the requests ahead of it."""
    scheduler.submit(one)
    return scheduler.ahead_of(one).requests


def drain(scheduler: Scheduler, free_rows: int = 2) -> list[Ticket]:
    """The order in which everything starts when rows are always free."""
    order = []
    while (found := scheduler.next(free_rows, lambda _: True)) is not None:
        order.append(found)
    return order


def test_within_a_tenant_the_oldest_goes_first() -> None:
    scheduler = Scheduler(10)
    tickets = [ticket() for _ in range(4)]
    assert [submit(scheduler, one) for one in tickets] == [0, 1, 2, 3]
    assert drain(scheduler) == tickets


def test_tenants_get_a_fair_share_in_whatever_order_they_came() -> None:
    scheduler = Scheduler(100)
    crowd = [ticket("crowd") for _ in range(20)]
    for one in crowd:
        scheduler.submit(one)
    guest = ticket("guest")
    assert submit(scheduler, guest) == 1, "behind one of the crowd's at most, not behind twenty"
    assert guest in drain(scheduler)[:2]


def test_the_fair_share_is_of_work_not_of_requests() -> None:
    scheduler = Scheduler(100)
    for _ in range(4):
        scheduler.submit(ticket("long", steps=30))
    for _ in range(12):
        scheduler.submit(ticket("short", steps=10))
    first = drain(scheduler)[:8]
    work = {tenant: sum(t.image_row_steps for t in first if t.tenant == tenant) for tenant in ("long", "short")}
    assert abs(work["long"] - work["short"]) <= 2 * 30


def test_a_tenant_that_was_idle_gets_no_credit() -> None:
    scheduler = Scheduler(100)
    scheduler.submit(ticket("busy"))
    for _ in range(50):
        scheduler.submit(ticket("busy"))
        assert scheduler.next(2, lambda _: True) is not None
    for _ in range(10):
        scheduler.submit(ticket("late"))
        scheduler.submit(ticket("busy"))
    assert {one.tenant for one in drain(scheduler)[:4]} == {"busy", "late"}


def test_within_a_tenant_high_priority_goes_first() -> None:
    scheduler = Scheduler(10)
    standard = [ticket("a"), ticket("b")]
    for one in standard:
        scheduler.submit(one)
    urgent = ticket("a", high=True)
    assert submit(scheduler, urgent) == 0
    assert drain(scheduler) == [urgent, standard[1], standard[0]]


def test_high_priority_gives_four_times_the_share_and_never_all_of_it() -> None:
    scheduler = Scheduler(1000)
    for _ in range(400):
        scheduler.submit(ticket("urgent", high=True))
    for _ in range(20):
        assert scheduler.next(2, lambda _: True) is not None
    guests = [ticket("guest") for _ in range(20)]
    assert submit(scheduler, guests[0]) <= 1, "behind one of the others at most, not behind 380"
    for one in guests[1:]:
        scheduler.submit(one)
    order = [one.tenant for one in drain(scheduler)[:100]]
    assert abs(order.count("guest") - 20) <= 1
    assert all("guest" in order[at : at + 6] for at in range(0, 90))


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


def test_a_request_that_is_not_ready_or_has_no_slot_is_passed_over() -> None:
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


def test_the_work_ahead_of_a_ticket_counts_what_goes_before_it() -> None:
    scheduler = Scheduler(10)
    scheduler.submit(ticket("a", steps=10))
    urgent = ticket("b", high=True, steps=5)
    scheduler.submit(urgent)
    last = ticket("a", steps=20)
    scheduler.submit(last)
    assert scheduler.ahead_of(urgent) == Ahead(0, 0)
    assert scheduler.ahead_of(last) == Ahead(2, 10 + 20)


def naive_fair_order(scheduler: Scheduler) -> list[Ticket]:
    """The rule as it is told: again and again the least served tenant, its high-priority requests first."""
    served, left, order = dict(scheduler._served), list(scheduler._waiting), []
    while left:
        first = min(left, key=lambda one: (served[one.tenant], not one.high))
        served[first.tenant] += first.row_steps / (4 if first.high else 1)
        left.remove(first)
        order.append(first)
    return order


REQUESTS = st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(1, 2), st.integers(1, 40), st.integers(1, 4))


@given(st.lists(st.tuples(REQUESTS, st.sampled_from(["stay", "leave", "start one"])), max_size=30))
def test_queue_positions_follow_the_rule(requests: list[tuple[tuple[str, bool, int, int, int], str]]) -> None:
    scheduler = Scheduler(100)
    for request, then in requests:
        one = Ticket(*request, ready=True)
        scheduler.submit(one)
        if then == "leave":
            scheduler.withdraw(one)
        elif then == "start one":
            scheduler.next(2, lambda _: True)
        order = naive_fair_order(scheduler)
        assert list(scheduler._fair_order()) == order
        for place, other in enumerate(order):
            ahead = scheduler.ahead_of(other)
            assert ahead == Ahead(place, sum(before.row_steps for before in order[:place]))


class CountedTicket(Ticket):
    """Counts how often it is looked at."""

    looks = 0

    def __getattribute__(self, name: str) -> Any:
        CountedTicket.looks += name == "tenant"
        return super().__getattribute__(name)


def test_finding_a_queue_position_looks_at_each_request_a_few_times() -> None:
    """Not at all of them for each of them: the queue is locked meanwhile."""
    scheduler = Scheduler(1000)
    tickets = [CountedTicket(f"t{i % 50}", i % 7 == 0, 2, 40, 1, ready=True) for i in range(500)]
    for one in tickets:
        scheduler.submit(one)
    last = list(scheduler._fair_order())[-1]
    CountedTicket.looks = 0
    assert scheduler.ahead_of(last).requests == 499
    assert CountedTicket.looks <= 4 * 500


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(1, 2), st.integers(1, 40), st.integers(1, 4)),
        max_size=30,
    )
)
def test_every_image_starts_exactly_once_and_high_priority_first_within_a_tenant(
    requests: list[tuple[str, bool, int, int, int]],
) -> None:
    scheduler = Scheduler(100)
    tickets = [Ticket(*request, ready=True) for request in requests]
    images = {one: one.images for one in tickets}
    for one in tickets:
        scheduler.submit(one)
    started = drain(scheduler)
    assert {one: started.count(one) for one in tickets} == images
    for tenant in "abcd":
        classes = [one.high for one in started if one.tenant == tenant]
        assert classes == sorted(classes, reverse=True), "high first"
    assert len(scheduler) == scheduler.row_steps == 0
