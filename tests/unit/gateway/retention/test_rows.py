"""Until when subjects are kept, by a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys
from headshots.database import write
from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from headshots.schema import CANCELLED, FAILED, RUNNING, SUCCEEDED, shots
from services.gateway.api.labels import NO_LABELS
from services.gateway.api.requests import IdempotencyKey
from services.gateway.galleries.state import update_state
from services.gateway.retention import rows
from services.gateway.retention.models import OwnTerms
from services.gateway.subjects import erasure
from services.gateway.subjects.rows import (
    create_subject,
    extend_retention,
    get_subject,
    hold_subject,
    list_subjects,
    release_subject,
)
from tests.support.clocks import BEGINNING, SqliteClock, open_with_clock
from tests.support.deploy.tables import make_tables
from tests.support.gateway.queue import order, trained_subject

DAY = 86400.0
NEAR = 0.01
"""As precise as the clock is."""


@pytest.fixture
def timed(tmp_path: Path) -> Iterator[tuple[Engine, SqliteClock]]:
    engine, clock = open_with_clock(f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(engine)
    keys.create_tenant(engine, "acme")
    yield engine, clock
    engine.dispose()


def subject(engine: Engine, retention_seconds: int = 0, request_id: str = "") -> str:
    key = IdempotencyKey(request_id)
    made = create_subject(
        engine, "acme", display_name="Ada", class_noun="", key=key, own_terms=OwnTerms(retention_seconds)
    )
    return made.id


def kept_for(engine: Engine, subject_id: str) -> float:
    """Seconds from the beginning on."""
    return get_subject(engine, "acme", subject_id).retention.expires_at - BEGINNING


def deliver(engine: Engine, subject_id: str) -> None:
    with write(engine) as connection:
        rows.delivered(connection, sa.literal(subject_id))


def test_a_subject_is_kept_for_thirty_days_its_tenants_time_or_its_own(timed: tuple[Engine, SqliteClock]) -> None:
    engine, _ = timed
    assert kept_for(engine, subject(engine)) == pytest.approx(30 * DAY, abs=NEAR)
    keys.set_retention(engine, "acme", 7200)
    assert kept_for(engine, subject(engine)) == pytest.approx(7200, abs=NEAR)
    assert kept_for(engine, subject(engine, 90 * 86400)) == pytest.approx(90 * DAY, abs=NEAR)
    for seconds in (1, 3599, 400 * 86400 + 1):
        with pytest.raises(InvalidArgumentError, match="RETENTION_INVALID"):
            subject(engine, seconds)
    assert len(list_subjects(engine, "acme", NO_LABELS, 50, "")[0]) == 3


def test_a_delivery_keeps_it_anew_and_never_shorter(timed: tuple[Engine, SqliteClock]) -> None:
    engine, clock = timed
    usual, own = subject(engine), subject(engine, 3600)
    extended = subject(engine)
    extend_retention(engine, "acme", extended, BEGINNING + 100 * DAY)
    clock.set(BEGINNING + 1800)
    for each in (usual, own, extended):
        deliver(engine, each)
    assert kept_for(engine, usual) == pytest.approx(30 * DAY + 1800, abs=NEAR)
    assert kept_for(engine, own) == pytest.approx(5400, abs=NEAR)
    assert kept_for(engine, extended) == pytest.approx(100 * DAY, abs=NEAR)


@pytest.mark.parametrize(("state", "moved"), [(SUCCEEDED, 1800), (FAILED, 0), (CANCELLED, 0), (RUNNING, 0)])
def test_only_a_gallery_that_succeeds_keeps_it_anew(
    state: str, moved: float, timed: tuple[Engine, SqliteClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, clock = timed
    # The time of this clock passes only when it is set.
    monkeypatch.setattr("tests.support.gateway.queue.let_time_pass", lambda _engine: None)
    painted = trained_subject(engine, "acme")
    gallery = order(engine, "acme", painted, 1)
    clock.set(BEGINNING + 1800)
    with write(engine) as connection:
        connection.execute(sa.update(shots).values(state=state, failure_reason="", failure_message=""))
        update_state(connection, gallery)
    assert kept_for(engine, painted) == pytest.approx(30 * DAY + moved, abs=NEAR)


def test_from_its_time_on_it_is_of_no_use_though_nothing_swept(timed: tuple[Engine, SqliteClock]) -> None:
    engine, clock = timed
    first, other = subject(engine, 3600, "r1"), subject(engine)
    clock.set(BEGINNING + 3599)
    assert get_subject(engine, "acme", first).id == first
    clock.set(BEGINNING + 3601)
    for call in (
        lambda: get_subject(engine, "acme", first),
        lambda: extend_retention(engine, "acme", first, BEGINNING + 9 * DAY),
        lambda: hold_subject(engine, "acme", first, "a dispute"),
        lambda: release_subject(engine, "acme", first),
        lambda: subject(engine, 3600, "r1"),
    ):
        with pytest.raises(FailedPreconditionError, match="SUBJECT_EXPIRED"):
            call()
    with pytest.raises(NotFoundError):
        get_subject(engine, "globex", first)
    assert [each.id for each in list_subjects(engine, "acme", NO_LABELS, 50, "")[0]] == [other]
    deliver(engine, first)
    with pytest.raises(FailedPreconditionError, match="SUBJECT_EXPIRED"):
        get_subject(engine, "acme", first)
    # The clock was wrong.
    clock.set(BEGINNING + 10)
    assert get_subject(engine, "acme", first).id == first


def test_a_subject_without_a_row_has_expired(timed: tuple[Engine, SqliteClock]) -> None:
    engine, _ = timed
    lost = subject(engine)
    with write(engine) as connection:
        rows.delete_of_subject(connection, lost)
    with pytest.raises(FailedPreconditionError, match="SUBJECT_EXPIRED"):
        get_subject(engine, "acme", lost)
    with pytest.raises(FailedPreconditionError, match="SUBJECT_EXPIRED"):
        rows.seconds_left(engine, lost)


def test_one_that_an_older_gateway_made_is_kept_from_when_it_is_found(timed: tuple[Engine, SqliteClock]) -> None:
    engine, clock = timed
    keys.set_retention(engine, "acme", 7200)
    timeless, hidden, other = subject(engine), subject(engine), subject(engine)
    erasure.mark_deleted(engine, "acme", hidden)
    with write(engine) as connection:
        for each in (timeless, hidden):
            rows.delete_of_subject(connection, each)
    clock.set(BEGINNING + 100)
    assert [rows.begin_missing(engine), rows.begin_missing(engine)] == [1, 0]
    assert kept_for(engine, timeless) == pytest.approx(7300, abs=NEAR)
    assert kept_for(engine, other) == pytest.approx(7200, abs=NEAR)
    clock.set(BEGINNING + 8000)
    claimed = [rows.claim_due(engine, owner="a", ttl_seconds=60.0) for _ in range(3)]
    assert [lease.id if lease else None for lease in claimed] == [other, timeless, None]


def test_it_is_extended_by_no_more_than_400_days_and_never_shortened(timed: tuple[Engine, SqliteClock]) -> None:
    engine, _ = timed
    one = subject(engine)
    for until in (BEGINNING + 29 * DAY, BEGINNING + 400 * DAY + 60, 0.0):
        with pytest.raises(InvalidArgumentError, match="RETENTION_INVALID"):
            extend_retention(engine, "acme", one, until)
    for _ in range(2):
        extend_retention(engine, "acme", one, BEGINNING + 399 * DAY)
    assert kept_for(engine, one) == pytest.approx(399 * DAY, abs=NEAR)


def test_a_hold_suspends_its_time(timed: tuple[Engine, SqliteClock]) -> None:
    engine, clock = timed
    held = subject(engine, 3600)
    hold_subject(engine, "acme", held, "first")
    hold_subject(engine, "acme", held, "a dispute")
    clock.set(BEGINNING + 90 * DAY)
    hold = get_subject(engine, "acme", held).retention.hold
    assert hold is not None
    assert (hold.reason, hold.held_at) == ("a dispute", pytest.approx(BEGINNING, abs=NEAR))
    assert rows.claim_due(engine, owner="a", ttl_seconds=60.0) is None
    assert release_subject(engine, "acme", held).retention.hold is None
    with pytest.raises(FailedPreconditionError, match="SUBJECT_EXPIRED"):
        get_subject(engine, "acme", held)
    assert rows.claim_due(engine, owner="a", ttl_seconds=60.0) is not None


def test_one_gateway_gets_it_and_another_one_after_its_lease(timed: tuple[Engine, SqliteClock]) -> None:
    engine, clock = timed
    later, first = subject(engine, 7200), subject(engine, 3600)
    assert rows.claim_due(engine, owner="a", ttl_seconds=60.0) is None
    clock.set(BEGINNING + 9000)
    claimed = [rows.claim_due(engine, owner=owner, ttl_seconds=60.0) for owner in "abc"]
    assert [lease.id if lease else None for lease in claimed] == [first, later, None]
    clock.set(BEGINNING + 9100)
    again = rows.claim_due(engine, owner="c", ttl_seconds=60.0)
    assert again is not None
    assert (again.id, again.attempt) == (first, 2)


def test_links_are_made_for_no_longer(timed: tuple[Engine, SqliteClock]) -> None:
    engine, clock = timed
    one = subject(engine, 3600)
    clock.set(BEGINNING + 600)
    assert rows.seconds_left(engine, one) in (2999, 3000)
    hold_subject(engine, "acme", one, "a dispute")
    assert rows.seconds_left(engine, one) == 400 * 86400
