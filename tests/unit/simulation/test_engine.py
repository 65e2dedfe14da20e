"""What a simulated platform does follows from its policy and its times, to the second."""

from __future__ import annotations

import dataclasses

import pytest

from headshots.simulation.arrivals import Arrivals, draw
from headshots.simulation.engine import Simulation
from headshots.simulation.outcomes import Outcome, Waits
from headshots.simulation.policies import Policy
from headshots.simulation.service_times import ServiceTimes
from headshots.simulation.traces import Order

FIXED = Policy(min=1, max=1, trainers_min=1, trainers_max=1)
EXACT = ServiceTimes({1: 10.0}, spread=0.0)


def run(policy: Policy, times: ServiceTimes, *orders: Order) -> Outcome:
    return Simulation(policy, times).run(orders)


def test_images_wait_for_a_place_in_the_batch() -> None:
    policy = dataclasses.replace(FIXED, batch=1, price_per_hour=36.0, trainers_price_per_hour=36.0)
    outcome = run(policy, EXACT, Order(0, "a", 3))
    assert outcome.until_first_image == Waits(10, 10)
    assert outcome.until_done == Waits(30, 30)
    assert (outcome.seconds, outcome.images_per_hour) == (30, 360)
    assert outcome.generators.utilisation == 1
    assert (outcome.generators.price, outcome.cost, outcome.cost_per_order) == pytest.approx((0.3, 0.6, 0.6))


def test_images_in_a_batch_slow_each_other_as_measured() -> None:
    """Half of the first is painted when the second comes; both go on at half the pace, and its rest alone."""
    outcome = run(FIXED, ServiceTimes({1: 1.0, 2: 2.0}, spread=0.0), Order(0, "a", 1), Order(0.5, "b", 1))
    assert outcome.until_first_image.p50 == pytest.approx(1.5)
    assert outcome.seconds == pytest.approx(2.0)


def test_a_batch_that_costs_nothing_more_paints_all_at_once() -> None:
    assert run(FIXED, EXACT, Order(0, "a", 8)).seconds == 10
    assert run(FIXED, EXACT, Order(0, "a", 9)).seconds == 20


def test_what_is_done_beside_the_batch_delays_and_takes_no_place() -> None:
    policy = dataclasses.replace(FIXED, batch=1)
    times = dataclasses.replace(EXACT, overhead_seconds=3.0, load_seconds=(1.0, 2.0, 4.0))
    outcome = run(policy, times, Order(0, "a", 2))
    # 4 from the store, 10 each, 3 at the end; the second's adapter is loaded meanwhile.
    assert outcome.until_first_image.p50 == 17
    assert outcome.seconds == 27
    assert outcome.hit_rates == {"slot": 0.5, "host": 0, "disk": 0, "store": 0.5}


def test_from_zero_a_generator_starts_first_and_goes_at_the_end() -> None:
    policy = Policy(cold_start_seconds=60, generator_poll_seconds=2, to_zero_seconds=100, scale_poll_seconds=10)
    outcome = run(policy, EXACT, Order(0, "a", 1), Order(3600, "b", 1))
    assert outcome.until_first_image == Waits(71, 71)
    assert outcome.generators.most == 1
    # Up to 71 + 100 s and the next look for the first; the second order ends the run.
    assert outcome.generators.hours * 3600 == pytest.approx(180 + 71, abs=10)


def test_a_queue_brings_more_generators_twice_as_many_a_minute() -> None:
    policy = Policy(cold_start_seconds=1, batch=1, per_replica=1, max=4, in_flight=2, routing="least_loaded")
    outcome = run(policy, EXACT, Order(0, "a", 100))
    assert outcome.generators.most == 4
    # One for 16 s, two for a minute, and then four.
    assert 270 <= outcome.seconds <= 320


def test_trainings_come_before_their_images_and_one_after_another() -> None:
    times = dataclasses.replace(EXACT, training_seconds=100.0)
    outcome = run(FIXED, times, Order(0, "a", 1, trains=True), Order(0, "b", 0, trains=True))
    assert outcome.until_training == Waits(50, 95)
    assert outcome.until_first_image == Waits(110, 110)
    assert outcome.seconds == 200
    assert outcome.trainers.utilisation == pytest.approx(1)


def test_trainers_come_and_go_too() -> None:
    times = dataclasses.replace(EXACT, training_seconds=100.0)
    policy = Policy(trainers_cold_start_seconds=30, trainers_max=3)
    outcome = run(policy, times, *(Order(0, str(number), 0, trains=True) for number in range(3)))
    assert outcome.trainers.most == 3
    # The first at once, the others at the next look of KEDA.
    assert outcome.until_training == Waits(45, 45)


def test_tenants_take_turns_whatever_one_has_queued() -> None:
    policy = dataclasses.replace(FIXED, batch=1, gateways=1, in_flight=1)
    outcome = run(policy, EXACT, Order(0, "a", 50, tenant="big"), Order(1, "b", 1, tenant="small"))
    assert outcome.until_done.p50 == pytest.approx((500 + 10 + 19) / 2, abs=6)
    first, second = sorted([outcome.until_done.p50 or 0, outcome.until_done.p95 or 0])
    assert first < 300 < second


def test_routing_by_adapter_finds_more_in_slots_than_turns_do() -> None:
    policy = Policy(min=4, max=4, slots=5, host_adapters=8, disk_adapters=16)
    trace = draw(Arrivals(6_000, hours=6, images=4, returning=1.0, known=24), seed=3)
    found = {
        routing: Simulation(dataclasses.replace(policy, routing=routing), EXACT, seed=1).run(trace).hit_rates
        for routing in ("adapter", "round_robin", "least_loaded")
    }
    assert found["adapter"]["slot"] > found["round_robin"]["slot"] + 0.1
    assert found["adapter"]["slot"] > found["least_loaded"]["slot"] + 0.1
    for rates in found.values():
        assert sum(rates.values()) == pytest.approx(1)


def test_the_same_seed_gives_the_same_outcome() -> None:
    trace = draw(Arrivals(500, hours=4, images=5), seed=1)
    times = ServiceTimes({1: 0.4, 8: 1.7}, training_seconds=50)
    first, again, other = (Simulation(Policy(), times, seed=seed).run(trace) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert (first.orders, first.images) == (len(trace), 5 * len(trace))


def test_several_traces_run_one_after_another_and_each_counts_from_its_begin() -> None:
    simulation = Simulation(FIXED, EXACT)
    first, again = (simulation.run([Order(5, "a", 1)]) for _ in range(2))
    assert (first.hit_rates["store"], again.hit_rates["slot"]) == (1, 1), "what is loaded stays"
    for outcome in (first, again):
        assert (outcome.until_done, outcome.seconds) == (Waits(10, 10), 15)
        assert list(outcome.served.values()) == [1]


SHRINKING = Policy(min=1, max=2, batch=1, gateways=1, in_flight=2, routing="least_loaded", cold_start_seconds=0)
SHRINKING = dataclasses.replace(SHRINKING, scale_down_seconds=0, scale_poll_seconds=1, per_replica=1)


def test_of_two_generators_the_idle_one_goes_and_gets_nothing_more() -> None:
    """Two images queue at the first; the second comes for the third, and goes while the first paints the fourth."""
    orders = Order(0, "a", 3), Order(12, "b", 1), Order(25, "c", 1)
    outcome = run(SHRINKING, EXACT, *orders)
    assert outcome.generators.most == 2
    assert outcome.seconds == 40, "the last waits for the only one that is left"


def test_a_generator_that_has_not_started_goes_before_one_that_is_idle_and_never_comes() -> None:
    policy = dataclasses.replace(SHRINKING, cold_start_seconds=100)
    outcome = run(policy, EXACT, Order(0, "a", 3), Order(50, "b", 1), Order(120, "c", 2))
    # A second one starts at 1 s and is not wanted any more at 20 s, nor is a third from 121 s on at 130 s.
    assert outcome.seconds == 140, "the first paints all, one by one"
    assert outcome.generators.hours * 3600 == pytest.approx(140 + 19 + 9)


def test_a_generator_that_goes_ends_its_image_first_and_costs_until_then() -> None:
    """From 11 s on one is enough for both images that are painted; the first to have come leaves at 20 s."""
    policy = dataclasses.replace(SHRINKING, per_replica=2)
    outcome = run(policy, EXACT, Order(0, "a", 3), Order(25, "b", 1))
    assert (outcome.until_done.p50, outcome.until_done.p95) == pytest.approx((15, 19.5))
    assert outcome.seconds == 35
    assert outcome.generators.hours * 3600 == pytest.approx(20 + 34)


def test_who_waits_for_an_adapter_that_is_being_loaded_waits_for_its_end() -> None:
    times = dataclasses.replace(EXACT, load_seconds=(1.0, 2.0, 4.0))
    outcome = run(FIXED, times, Order(0, "a", 1), Order(1, "a", 1))
    assert (outcome.until_done.p50, outcome.until_done.p95) == pytest.approx((13.5, 13.95))
    assert outcome.hit_rates == {"slot": 0.5, "host": 0, "disk": 0, "store": 0.5}


def test_an_adapter_is_found_where_it_was_when_its_request_came() -> None:
    """One slot, room for two in memory and three on disk: each next one pushes another out."""
    policy = dataclasses.replace(FIXED, slots=2, host_adapters=2, disk_adapters=3)
    times = dataclasses.replace(EXACT, load_seconds=(1.0, 2.0, 4.0))
    simulation = Simulation(policy, times)
    seconds = []
    for number, name in enumerate("aabcbacdab"):
        outcome = simulation.run([Order(0, name, 1)])
        seconds.append(outcome.seconds - 10)
        assert sum(outcome.hit_rates.values()) == 1, number
    assert seconds == [4, 0, 4, 4, 1, 2, 2, 4, 2, 4]


def test_a_person_who_is_trained_again_has_another_adapter() -> None:
    times = dataclasses.replace(EXACT, training_seconds=5.0)
    outcome = run(FIXED, times, Order(0, "a", 1, trains=True), Order(100, "a", 1, trains=True), Order(200, "a", 1))
    assert outcome.hit_rates["store"] == pytest.approx(2 / 3)


def test_work_differs_by_its_spread_and_no_more() -> None:
    times = ServiceTimes({1: 10.0}, training_seconds=100.0, spread=0.5)
    waits = run(FIXED, times, *(Order(1000 * number, str(number), 1, trains=True) for number in range(40)))
    assert 50 + 5 < (waits.until_done.p50 or 0) < (waits.until_done.p95 or 0) < 150 + 15
    trained = run(FIXED, times, *(Order(1000 * number, str(number), 0, trains=True) for number in range(40)))
    assert (trained.until_done.p95 or 0) - (trained.until_done.p50 or 0) > 20
    painted = run(FIXED, times, *(Order(1000 * number, str(number), 1) for number in range(40)))
    assert (painted.until_done.p95 or 0) - (painted.until_done.p50 or 0) > 2
