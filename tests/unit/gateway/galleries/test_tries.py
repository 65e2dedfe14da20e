"""Tries of a shot: which is its image, what the next one begins with, and which seeds nobody has tried."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import leases, schema
from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.acceptance.verdict import Acceptance, Verdict
from headshots.acceptance.view import View
from headshots.database import database_now, now_expression, read, write
from headshots.leases import LeaseLostError
from headshots.schema import PENDING, SUCCEEDED
from services.gateway.api.requests import IdempotencyKey
from services.gateway.galleries import shots
from services.gateway.galleries.claiming import claim
from services.gateway.galleries.creating import create_gallery
from services.gateway.galleries.images.tries import Try, best_of
from services.gateway.galleries.limits import SEEDS
from services.gateway.galleries.models import GalleryOrder, place_of
from services.gateway.galleries.orders.regenerating import Disliked, first_gap, regenerate
from services.gateway.peers.models import Failure
from tests.support.gateway.queue import (
    ACCEPTED,
    IMAGE,
    LIBRARY,
    REFUSED,
    expire,
    judgement,
    let_time_pass,
    order,
    take,
    trained_subject,
)

SAME = dataclasses.replace(ACCEPTED, view=View("00" * 18, "00" * 75, ()))


def order_tries(engine: Engine, max_tries: int, seed: int = 0) -> None:
    subject = trained_subject(engine, "acme")
    wanted = GalleryOrder(("studio-navy-suit",), shots_per_style=2, seed=seed, max_tries=max_tries)
    recipes = [LIBRARY.get(style) for style in wanted.styles]
    create_gallery(engine, "acme", subject, wanted, recipes, PROFILE_WORTHY, key=IdempotencyKey(), validate_only=False)


def record(engine: Engine, shot: shots.Shot, judged: Any = REFUSED) -> bool:
    return shots.record_try(engine, shot, IMAGE, prompt="", seconds=0.0, judgement=judged).is_last


def row(engine: Engine, number: int = 0) -> Any:
    with read(engine) as connection:
        return connection.execute(sa.select(schema.shots).where(schema.shots.c.number == number)).one()


def test_a_next_try_counts_attempts_and_losses_from_the_start(engine: Engine) -> None:
    order_tries(engine, max_tries=3)
    for owner in ("first", "second"):
        lost = take(engine, owner)
        assert lost.number == 0 or owner == "second"
        expire(engine)
    mine = take(engine, "third")
    while mine.number != 0:
        mine = take(engine, "third")
    shots.requeue(engine, mine, counts=True, after_seconds=0.0)
    mine = take(engine, "third")
    assert (mine.number, mine.lost_workers, mine.counted_attempts) == (0, 1, 2)
    assert not record(engine, mine)
    assert row(engine).state == PENDING
    let_time_pass(engine)
    fresh = take(engine, "third")
    assert (fresh.number, fresh.tries, fresh.seed) == (0, 1, 2)
    assert (fresh.counted_attempts, fresh.uncounted_attempts, fresh.lost_workers, fresh.lone_losses) == (1, 0, 0, 0)


@pytest.mark.parametrize("column", ["not_before", "lease_expires_at"])
@pytest.mark.parametrize(("ahead_seconds", "taken"), [(1_800.0, False), (86_400.0, True)])
def test_a_time_of_a_clock_that_was_far_ahead_holds_no_shot(
    engine: Engine, column: str, ahead_seconds: float, *, taken: bool
) -> None:
    order_tries(engine, max_tries=1)
    for _ in range(2):
        mine = take(engine, "first")
        if column == "not_before":
            shots.requeue(engine, mine, counts=False, after_seconds=60.0)
    with write(engine) as connection:
        connection.execute(sa.update(schema.shots).values({column: now_expression("sqlite") + ahead_seconds}))
    assert (claim(engine, owner="other", ttl_seconds=60.0) is not None) == taken


def test_a_shot_waits_no_longer_than_a_pause_may_be(engine: Engine) -> None:
    order_tries(engine, max_tries=1)
    mine = take(engine)
    shots.requeue(engine, mine, counts=False, after_seconds=1e6)
    with read(engine) as connection:
        now = database_now(connection)
    assert row(engine, mine.number).not_before <= now + leases.LONGEST_SECONDS / 2


def test_every_shot_keeps_a_first_try(engine: Engine) -> None:
    order_tries(engine, max_tries=2)
    one, other = take(engine, "first"), take(engine, "second")
    assert not record(engine, one)
    # The queue offers that of fewer tries first; the second worker holds it.
    assert not record(engine, take(engine, "first"))
    assert record(engine, take(engine, "first"))
    assert record(engine, other)
    assert (row(engine).tries, row(engine, 1).tries) == (3, 1)


def test_the_queue_offers_shots_of_fewer_tries_first(engine: Engine) -> None:
    order_tries(engine, max_tries=2)
    offered = []
    for _ in range(4):
        shot = take(engine)
        offered.append((shot.number, shot.seed))
        record(engine, shot)
    assert offered == [(0, 0), (1, 1), (0, 2), (1, 3)]
    assert (row(engine).state, row(engine, 1).state) == (SUCCEEDED, SUCCEEDED)


def test_seeds_go_on_from_the_first_after_the_last(engine: Engine) -> None:
    order_tries(engine, max_tries=2, seed=SEEDS - 1)
    assert row(engine).seed == SEEDS - 1
    record(engine, take(engine))
    assert row(engine).seed == 1


def test_of_near_duplicates_that_are_recorded_at_once_one_is_accepted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_tries(engine, max_tries=1)
    record_at_once(engine, [take(engine, "first"), take(engine, "second")], monkeypatch)
    assert sorted(row(engine, number).acceptance for number in (0, 1)) == ["accepted", "refused"]


def record_at_once(engine: Engine, both: list[shots.Shot], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers record the same picture."""
    looking, compare = threading.Barrier(2), shots.against_accepted

    def beside_the_other(*values: Any) -> Verdict:
        """Whoever looks waits a little for the other to look too, which must not be let in."""
        with contextlib.suppress(threading.BrokenBarrierError):
            looking.wait(1.0)
        return compare(*values)

    monkeypatch.setattr(shots, "against_accepted", beside_the_other)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda shot: record(engine, shot, SAME), both))


def acceptances(engine: Engine, *gallery_ids: str) -> list[str]:
    """Of galleries of one shot each."""
    with read(engine) as connection:
        of = dict(connection.execute(sa.select(schema.shots.c.gallery_id, schema.shots.c.acceptance)).all())
    return [of[each] for each in gallery_ids]


def disliked(engine: Engine) -> Disliked:
    """The image of a gallery of one shot, which is refused."""
    subject = trained_subject(engine, "acme")
    gallery = order(engine, "acme", subject, 1)
    record(engine, take(engine))
    return Disliked(subject, gallery, 0)


def again(engine: Engine, image: Disliked) -> str:
    """The id of a new gallery in place of the image."""
    return regenerate(engine, "acme", image, key=IdempotencyKey(), validate_only=False).id


def test_of_near_duplicates_that_replace_images_of_one_gallery_at_once_one_is_accepted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = disliked(engine)
    one, other = again(engine, image), again(engine, image)
    record_at_once(engine, [take(engine, "first"), take(engine, "second")], monkeypatch)
    assert sorted(acceptances(engine, one, other)) == ["accepted", "refused"]


@pytest.mark.parametrize("deleted", [False, True])
def test_replacements_of_replacements_are_compared_with_each_other(engine: Engine, deleted: bool) -> None:
    image = disliked(engine)
    one, other = again(engine, image), again(engine, image)
    first, second = sorted((take(engine), take(engine)), key=lambda shot: shot.gallery_id != one)
    record(engine, first)
    of_the_first = again(engine, Disliked(image.subject_id, one, 0))
    if deleted:
        with write(engine) as connection:
            connection.execute(sa.delete(schema.shots).where(schema.shots.c.gallery_id == image.gallery_id))
            connection.execute(sa.delete(schema.galleries).where(schema.galleries.c.id == image.gallery_id))
    record(engine, take(engine), SAME)
    record(engine, second, SAME)
    assert acceptances(engine, of_the_first, other) == ["accepted", "refused"]


def test_the_verdict_of_a_worker_that_lost_the_shot_changes_nothing(engine: Engine) -> None:
    order_tries(engine, max_tries=3)
    frozen = take(engine, "frozen")
    expire(engine)
    take(engine, "bystander")
    record(engine, take(engine, "second"))
    before = row(engine)
    for late in (ACCEPTED, REFUSED):
        with pytest.raises(LeaseLostError):
            record(engine, frozen, late)
    assert row(engine) == before
    assert before.tries == 1


def test_a_shot_that_cannot_be_painted_again_ends_with_the_best_of_its_tries(engine: Engine) -> None:
    order_tries(engine, max_tries=3)
    record(engine, take(engine), judgement(Acceptance.REFUSED, likeness=0.5))
    record(engine, take(engine), ACCEPTED)
    record(engine, take(engine), judgement(Acceptance.REFUSED, likeness=0.2))
    shots.fail(engine, take(engine), Failure("SHOT_ATTEMPTS_EXHAUSTED", "no more"))
    ended = row(engine)
    assert (ended.state, ended.seed, ended.tries, ended.acceptance) == (SUCCEEDED, 0, 2, "refused")
    assert [each["seed"] for each in ended.refused_tries] == [2]
    assert ended.failure_reason == "SHOT_ATTEMPTS_EXHAUSTED"
    with read(engine) as connection:
        gallery = connection.execute(sa.select(schema.galleries)).one()
    told = "1 shot ended before the last try; shot 0: no more"
    assert (gallery.state, gallery.guarantee) == (SUCCEEDED, "not_met")
    assert (gallery.failure_reason, gallery.failure_message) == ("SHOT_ATTEMPTS_EXHAUSTED", told)


def test_a_gallery_that_was_cancelled_meanwhile_is_painted_no_more(engine: Engine) -> None:
    order_tries(engine, max_tries=3)
    shot = take(engine)
    with write(engine) as connection:
        connection.execute(sa.update(schema.shots).values(cancel_requested=True))
    assert record(engine, shot)
    assert row(engine).state == SUCCEEDED


def a_try(seed: int, acceptance: Acceptance, likeness: float | None) -> Try:
    return Try(seed, f"key-{seed}", {}, judgement(acceptance, likeness=likeness))


@pytest.mark.parametrize(
    ("tries", "best"),
    [
        ([(Acceptance.REFUSED, 0.4), (Acceptance.REFUSED, 0.8), (Acceptance.REFUSED, 0.6)], 1),
        ([(Acceptance.REFUSED, 0.9), (Acceptance.ACCEPTED, 0.7)], 1),
        ([(Acceptance.REFUSED, 0.9), (Acceptance.NOT_MEASURED, None)], 1),
        ([(Acceptance.REFUSED, None), (Acceptance.REFUSED, -0.5)], 1),
        ([(Acceptance.REFUSED, None), (Acceptance.REFUSED, None)], 0),
    ],
)
def test_the_image_is_the_accepted_try_else_the_most_alike(
    tries: list[tuple[Acceptance, float | None]], best: int
) -> None:
    made = [a_try(seed, acceptance, likeness) for seed, (acceptance, likeness) in enumerate(tries)]
    assert best_of(made).seed == best
    assert [Try.from_json(each.to_json()) for each in made] == made


@pytest.mark.parametrize(
    ("taken", "start", "size", "first"),
    [
        ([], 7, 3, 7),
        ([(7, 4)], 7, 3, 11),
        ([(7, 4), (13, 2)], 7, 2, 11),
        ([(7, 4), (13, 2)], 7, 3, 15),
        ([(0, 100), (20, 5)], 7, 1, 100),
        ([(3, 5)], 7, 1, 8),
        ([(SEEDS - 2, 4)], SEEDS - 2, 1, 2),
        ([(SEEDS - 2, 4)], 0, 1, 2),
    ],
)
def test_the_first_gap_is_behind_all_that_was_tried(
    taken: list[tuple[int, int]], start: int, size: int, first: int
) -> None:
    assert first_gap(taken, start, size) == first


def test_numbers_of_shots_give_their_styles() -> None:
    assert [place_of(number, (2, 1, 3)) for number in range(6)] == [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 2)]
