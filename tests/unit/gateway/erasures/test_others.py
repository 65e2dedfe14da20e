"""What lies among copies of receipts and is none, or another of its number, is named and not believed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from headshots import keys
from services.gateway.erasures.log import RECEIPTS
from services.gateway.erasures.restoring import bring_all_back
from tests.support.gateway.receipts import issuer
from tests.support.gateway.restores import Backup, Place, errors, told
from tests.support.receipts import receipt

OTHERS: dict[str, Callable[[Place], str]] = {
    "signed with another key": lambda place: place.leave(receipt(issuer()._key)),
    "no receipt": lambda place: place.leave(b"{}"),
    "no JSON": lambda place: place.leave(b"\xff"),
    "empty": lambda place: place.leave(b""),
    "nested too deeply": lambda place: place.leave(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "larger than any receipt": lambda place: place.leave(b" " * 2**21),
    "changed": lambda place: place.leave(receipt(place.key).replace(b"REQUEST", b"CONSENT_WITHDRAWN")),
    "another number": lambda place: place.leave(receipt(place.key), number=2),
    "another tenant": lambda place: place.leave(receipt(place.key, tenant="globex")),
    "another digest": lambda place: place.leave(receipt(place.key), digits="0" * 12),
    "what a later version says": lambda place: place.leave(receipt(place.key, trigger="WHIM")),
    "no time": lambda place: place.leave(receipt(place.key, backups={"horizon_days": 0})),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_receipt_is_named_and_not_believed(
    place: Place, caplog: pytest.LogCaptureFixture, other: str
) -> None:
    keys.create_tenant(place.engine, "globex")
    key = OTHERS[other](place)
    assert (bring_all_back(place.engine, place.log), place.rows()) == (0, [])
    (error,) = errors(caplog)
    assert key in error
    place.leave(receipt(place.key, number=3), number=3)
    assert (bring_all_back(place.engine, place.log), place.numbers()) == (1, [3]), "it holds up no other"
    assert place.store.exists_sync(key)


def test_what_is_larger_than_any_receipt_is_not_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.leave(b" " * 2**21)
    monkeypatch.setattr(place.store, "get_sync", lambda key: pytest.fail(f"{key} is read"))
    assert bring_all_back(place.engine, place.log) == 0


def test_what_is_not_named_as_a_copy_is_named_and_left_out(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.store.put_sync(f"{RECEIPTS}/acme/notes.txt", b"somebody's")
    assert bring_all_back(place.engine, place.log) == 0
    (error,) = errors(caplog)
    assert f"{RECEIPTS}/acme/notes.txt" in error


def test_two_receipts_of_one_number_are_named_and_both_stay(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """As older gateways, which do not follow the log, sign them after a restore."""
    place.erase()
    backup = Backup(place.engine)
    place.erase()
    backup.restore()
    place.erase()
    before, ended_at = place.rows(), place.head()
    assert (place.numbers(), place.copies()) == ([1, 2], [1, 2, 2])
    assert bring_all_back(place.engine, place.log, whole=True) == 0
    (error,) = errors(caplog)
    assert "both stay" in error
    assert (told(place.rows()), place.head()) == (told(before), ended_at)
    assert place.copies() == [1, 2, 2]


def test_of_two_of_one_number_that_no_database_knows_one_comes_back(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    for erased in ("a", "b"):
        place.leave(receipt(place.key, erasure=erased * 32))
    assert (bring_all_back(place.engine, place.log), place.numbers(), place.copies()) == (1, [1], [1, 1])
    assert len(errors(caplog)) == 1


def test_a_second_receipt_of_one_erasure_is_named_and_its_number_is_not_given_again(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.erase()
    (row,) = place.rows()
    second = receipt(place.key, number=2, previous=row.receipt_sha256, erasure=row.id)
    place.leave(second, number=2)
    assert bring_all_back(place.engine, place.log) == 0
    assert len(errors(caplog)) == 1
    assert place.head() == (2, hashlib.sha256(second).hexdigest())
    place.erase()
    assert place.numbers() == [1, 3]


def test_a_receipt_that_was_left_out_comes_back_later(place: Place) -> None:
    """Its key came into use after the backup; a gateway that starts with that key has it known again."""
    newer = issuer()
    for number, key in ((1, newer._key), (2, place.key)):
        place.leave(receipt(key, number=number), number=number)
    assert bring_all_back(place.engine, place.log) == 1
    newer.publish_key(place.engine)
    assert bring_all_back(place.engine, place.log) == 0, "it is before the head"
    assert bring_all_back(place.engine, place.log, whole=True) == 1
    assert (place.numbers(), place.head()[0]) == ([1, 2], 2)
