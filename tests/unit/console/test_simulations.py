"""Outcomes of a simulation stand in a table: a line a figure, a column a policy."""

from __future__ import annotations

import dataclasses

from headshots.console.simulations import rows, title
from headshots.simulation.outcomes import Cost, Outcome, Waits
from headshots.simulation.service_times import ServiceTimes
from headshots.simulation.traces import Order

OUTCOME = Outcome(
    orders=2,
    images=30,
    seconds=60.0,
    images_per_hour=1800.0,
    until_training=Waits(1.0, 2.0),
    until_first_image=Waits(3.0, 4.0),
    until_done=Waits(5.0, 75.0),
    hit_rates={"slot": 0.4, "host": 0.3, "disk": 0.2, "store": 0.1},
    generators=Cost(hours=6.0, price=12.0, utilisation=0.5, most=7),
    trainers=Cost(hours=18.0, price=1.0, utilisation=0.25, most=9),
    cost=13.0,
    cost_per_order=6.5,
)
FREE = dataclasses.replace(OUTCOME, cost=0.0, cost_per_order=0.0, until_training=Waits(None, None))


def test_every_figure_has_its_line_and_every_policy_its_column() -> None:
    assert rows([OUTCOME, FREE]) == [
        ["training starts, p50", "1.0 s", "-"],
        ["training starts, p95", "2.0 s", "-"],
        ["first image, p50", "3.0 s", "3.0 s"],
        ["first image, p95", "4.0 s", "4.0 s"],
        ["all images, p50", "5.0 s", "5.0 s"],
        ["all images, p95", "1 min 15 s", "1 min 15 s"],
        ["images an hour", "1800", "1800"],
        ["adapter in slot", "40.0%", "40.0%"],
        ["adapter in memory", "30.0%", "30.0%"],
        ["adapter on disk", "20.0%", "20.0%"],
        ["adapter in store", "10.0%", "10.0%"],
        ["generators, most", "7", "7"],
        ["generators, hours", "6.00", "6.00"],
        ["generators, used", "50.0%", "50.0%"],
        ["trainers, most", "9", "9"],
        ["trainers, hours", "18.0", "18.0"],
        ["trainers, used", "25.0%", "25.0%"],
        ["cost", "13.00", "0.00"],
        ["cost of an order", "6.5000", "0.0000"],
    ]
    assert rows([FREE])[-1][0] == "trainers, used", "without prices nothing costs anything"


def test_above_it_stands_what_was_replayed_and_with_which_times() -> None:
    orders = [Order(0.0, "a", 20, trains=True), Order(5400.0, "b", 10)]
    assert title(orders, ServiceTimes({1: 0.4, 8: 1.7}, training_seconds=50.0)) == (
        "2 orders in 1 h 30 min: 1 training, 30 images. "
        "An image: 0.4 s with 1 at once, 1.7 s with 8 at once; a training: 50 s."
    )
