"""The log of erasures tells who was erased, to whoever knows them, for its term."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from headshots.artifacts import ArtifactStore
from services.gateway.erasures.log import FOLDER, RECEIPTS, ErasureLog, subject_hash
from services.gateway.erasures.models import Trigger

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
TODAY = NOON.date()
DAY = timedelta(days=1)


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    return ArtifactStore.open((tmp_path / "objects").as_uri() if request.param == "file" else "memory:///")


def write(log: ErasureLog, subject_id: str, at: datetime = NOON) -> None:
    log.write("acme", subject_id, Trigger.REQUEST, at.timestamp())


def test_an_entry_tells_when_and_why_and_not_who(store: ArtifactStore) -> None:
    write(ErasureLog(store), "ada")
    (key,) = store.list_sync("")
    assert key == f"{FOLDER}/2026-11-29/{subject_hash('acme', 'ada')}"
    assert json.loads(store.get_sync(key)) == {
        "subject": subject_hash("acme", "ada"),
        "tenant": "acme",
        "time": "2026-11-29T12:00:00+00:00",
        "trigger": "REQUEST",
    }
    assert b"ada" not in store.get_sync(key)


def test_the_first_entry_of_a_day_stays(store: ArtifactStore) -> None:
    log = ErasureLog(store)
    log.write("acme", "ada", Trigger.EXPIRY, NOON.timestamp())
    write(log, "ada", NOON + timedelta(hours=1))
    (key,) = store.list_sync("")
    assert json.loads(store.get_sync(key))["trigger"] == "EXPIRY"


def test_hashes_tell_tenants_apart() -> None:
    assert len({subject_hash("acme", "ada"), subject_hash("globex", "ada"), subject_hash("acm", "eada")}) == 3


@pytest.mark.parametrize(
    ("since", "found"),
    [(None, "abcd"), (TODAY - 40 * DAY, "abcd"), (TODAY - DAY, "bcd"), (TODAY, "cd"), (TODAY + 2 * DAY, "")],
)
def test_those_erased_since_a_day_are_told(store: ArtifactStore, since: date | None, found: str) -> None:
    log = ErasureLog(store)
    for name, days in {"a": -40, "b": -1, "c": 0, "d": 1}.items():
        write(log, name, NOON + days * DAY)
    store.put_sync(f"{FOLDER}/{TODAY}/notes.txt", b"somebody's")
    assert log.erased(since, TODAY) == {subject_hash("acme", name) for name in found}


def test_an_empty_log_tells_of_nobody(store: ArtifactStore) -> None:
    log = ErasureLog(store)
    assert (log.erased(None, TODAY), log.erased(TODAY, TODAY), log.remove_old(TODAY)) == (set(), set(), 0)


def test_entries_leave_at_the_end_of_their_term(store: ArtifactStore) -> None:
    log = ErasureLog(store, keep_days=30)
    for name, days in {"old": -31, "kept": -30, "new": 0}.items():
        write(log, name, NOON + days * DAY)
    assert log.remove_old(TODAY) == 1
    assert log.erased(None, TODAY) == {subject_hash("acme", name) for name in ("kept", "new")}
    assert log.remove_old(TODAY) == 0


def test_copies_of_receipts_are_listed_after_a_number_in_their_order_and_have_no_term(store: ArtifactStore) -> None:
    log = ErasureLog(store, keep_days=30)
    assert (log.tenants_with_receipts(), log.receipts("acme", 0)) == ([], [])
    for number in (1, 2, 9, 10, 100_000, 2**31 - 1):
        assert log.write_receipt("acme", number, b"%d" % number)
    log.write_receipt("acme-2", 11, b"another tenant's")
    assert log.tenants_with_receipts() == ["acme", "acme-2"]
    assert log.remove_old(date.max) == 0
    for after, numbers in ((0, [1, 2, 9, 10, 100_000, 2**31 - 1]), (9, [10, 100_000, 2**31 - 1]), (2**31 - 1, [])):
        found = log.receipts("acme", after)
        assert [copy.number for copy in found] == numbers
        assert [log.read_receipt(copy) for copy in found] == [b"%d" % number for number in numbers]


def test_a_copy_is_written_once_and_another_of_its_number_beside_it(store: ArtifactStore) -> None:
    log = ErasureLog(store)
    assert [log.write_receipt("acme", 1, data) for data in (b"one", b"one", b"other")] == [True, True, True]
    assert sorted(store.get_sync(key) for key in store.list_sync(RECEIPTS)) == [b"one", b"other"]
