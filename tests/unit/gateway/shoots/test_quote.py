"""A quote is made of what earlier work took: median, and what nine of ten are within."""

from __future__ import annotations

import pytest

from services.gateway.shoots.quote import Measured, Queue, Quote, Rates, most_at_once, possible_seconds, quote

NOW = 1000.0


def jobs(*sizes_and_seconds: tuple[int, float]) -> tuple[Measured, ...]:
    """Jobs one after the other."""
    found, at = [], 0.0
    for size, seconds in sizes_and_seconds:
        found.append(Measured(size, at, at + seconds))
        at += seconds + 1
    return tuple(found)


RATES = Rates(trainings=jobs((100, 60.0)), galleries=jobs((40, 20.0)), training_steps=100)


def quoted(rates: Rates = RATES, queue: Queue | None = None, *, trains: bool = True, asked: int = 40) -> Quote:
    return quote(rates, queue or Queue(), trains=trains, asked=asked, max_tries=3, now=NOW)


def test_a_shoot_takes_a_training_and_a_gallery() -> None:
    assert quoted() == Quote(0, 100, 40, NOW + 80, NOW + 160, 80.0, measured_on=2)
    assert quoted(trains=False) == Quote(0, 0, 40, NOW + 20, NOW + 40, 20.0, measured_on=1)


@pytest.mark.parametrize("rates", [Rates(), Rates(galleries=RATES.galleries), Rates(trainings=RATES.trainings)])
def test_without_a_measure_of_each_part_no_time_is_told(rates: Rates) -> None:
    found = quoted(rates)
    assert (found.expected_at, found.latest_at, found.device_seconds, found.measured_on) == (None, None, 0.0, 0)
    assert found.images == 40


def test_fixed_and_proportional_time_are_told_apart() -> None:
    # 10 s, and half a second for each.
    assert possible_seconds(jobs((20, 20.0), (100, 60.0), (180, 100.0)), 60) == pytest.approx([40.0] * 3)
    # Of one size there is no telling: all of it is proportional.
    assert possible_seconds(jobs((20, 20.0), (20, 20.0), (20, 20.0)), 40) == pytest.approx([40.0] * 3)


@pytest.mark.parametrize(
    ("seconds", "expected", "latest"),
    [((20.0,), 20, 40), ((20.0, 20.0), 20, 30), ((18.0, 22.0), 20, 33), ((19.0, 20.0, 22.0), 20, 22)],
)
def test_one_or_two_measures_have_an_assumed_spread_and_three_their_own(
    seconds: tuple[float, ...], expected: float, latest: float
) -> None:
    galleries = jobs(*((40, each) for each in seconds))
    found = quoted(Rates(galleries=galleries), trains=False)
    assert found.expected_at == pytest.approx(NOW + expected)
    assert found.latest_at == pytest.approx(NOW + latest)


def test_the_first_training_widens_what_galleries_are_sure_of() -> None:
    sure = jobs(*[(40, 20.0)] * 9)
    wide = quoted(Rates(jobs((100, 60.0)), sure, 100))
    assert (wide.expected_at, wide.latest_at) == (NOW + 80, NOW + 140)
    assert quoted(Rates(jobs(*[(100, 60.0)] * 3), sure, 100)).latest_at == NOW + 80


def test_one_odd_job_does_not_move_the_median_but_the_spread() -> None:
    usual = [(100, 60.0 + number) for number in range(9)]
    galleries = jobs(*[(40, 20.0)] * 3)
    rates = Rates(jobs(*usual, (100, 6000.0)), galleries, training_steps=100)
    found = quoted(rates)
    assert found.expected_at is not None
    assert found.latest_at is not None
    assert found.expected_at - NOW == pytest.approx(84.5)
    assert found.latest_at - NOW == pytest.approx(88.0)
    worse = quoted(Rates(jobs(*usual[:8], (100, 6000.0), (100, 6000.0)), galleries, training_steps=100))
    assert worse.latest_at == pytest.approx(NOW + 6020.0)


def test_tries_make_more_images_within_the_order_s_own_budget() -> None:
    rates = Rates(RATES.trainings, RATES.galleries, 100, tries=(1.0, 1.5))
    found = quoted(rates)
    assert (found.images, found.device_seconds) == (50, 85.0)
    assert quoted(Rates(RATES.trainings, RATES.galleries, 100, tries=(5.0,))).images == 120


def test_trainings_before_it_are_waited_for_where_no_trainer_is_free() -> None:
    busy = Queue(waiting_trainings=2, running_trainings=(30.0,))
    assert quoted(queue=busy).expected_at == NOW + 30 + 2 * 60 + 80
    assert quoted(queue=busy).queue_place == 2
    # What a trainer does not tell is half of a training.
    assert quoted(queue=Queue(running_trainings=(None,))).expected_at == NOW + 30 + 80
    two = Rates((Measured(100, 0.0, 60.0), Measured(100, 30.0, 90.0)), RATES.galleries, 100)
    assert quoted(two, Queue(running_trainings=(30.0,))).expected_at == NOW + 80
    assert quoted(two, Queue(1, (30.0, 50.0))).expected_at == NOW + (30 + 50 + 60) / 2 + 80


def test_shots_before_it_are_waited_for_where_nothing_is_trained() -> None:
    found = quoted(queue=Queue(waiting_trainings=9, waiting_shots=6, running_shots=4), trains=False)
    assert (found.queue_place, found.expected_at) == (6, NOW + 5 + 20)


def test_jobs_that_follow_each_other_do_not_overlap() -> None:
    assert most_at_once([Measured(1, 0.0, 2.0), Measured(1, 2.0, 3.0)]) == 1
    assert most_at_once([Measured(1, 0.0, 2.0), Measured(1, 1.0, 3.0), Measured(1, 1.5, 1.6)]) == 3
    assert most_at_once([]) == 0
