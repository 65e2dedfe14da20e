"""A consent is recorded with what the gateway knows by itself, told with the subject, and refused if it cannot be."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any

import pytest

from headshots import schema
from headshots.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError
from headshots.v1 import subjects_pb2
from tests.support.consents import MESSAGE
from tests.support.gateway.caller import refused
from tests.support.gateway.world import World

BOTH = [subjects_pb2.CONSENT_PURPOSE_TRAINING, subjects_pb2.CONSENT_PURPOSE_PAINTING]
TEXT = {"statement_text": "Yes.", "statement_version": "1", "purposes": BOTH}
SHA256 = hashlib.sha256(b"Yes.").hexdigest()


async def give(world: World, subject: str, **fields: Any) -> subjects_pb2.Consent:
    request = subjects_pb2.GiveConsentRequest(name=subject, consent=subjects_pb2.Consent(**fields))
    consent = (await world.acme("GiveConsent", request)).subject.consent
    assert isinstance(consent, subjects_pb2.Consent)
    return consent


async def get(world: World, subject: str) -> subjects_pb2.Subject:
    found = (await world.acme("GetSubject", subjects_pb2.GetSubjectRequest(name=subject))).subject
    assert isinstance(found, subjects_pb2.Subject)
    return found


async def test_a_consent_comes_with_the_subject_and_is_told_wherever_it_is(world: World) -> None:
    subject = await world.acme.subject(consent=TEXT)
    consent = (await get(world, subject)).consent
    assert (consent.statement_text, consent.statement_sha256, consent.statement_version) == ("Yes.", SHA256, "1")
    assert list(consent.purposes) == BOTH
    assert consent.give_time == consent.record_time
    assert not consent.HasField("expire_time")
    (listed,) = (await world.acme("ListSubjects", subjects_pb2.ListSubjectsRequest())).subjects
    assert listed.consent == consent
    assert not (await get(world, await world.acme.subject(consent=None))).HasField("consent")


async def test_a_later_consent_replaces_the_earlier_one(world: World) -> None:
    subject = await world.acme.subject(consent=TEXT)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=400)
    agreed = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    given = {"statement_uri": "https://example.org/2", "statement_sha256": "ab" * 32, "statement_version": "2"}
    consent = await give(
        world, subject, **given, purposes=BOTH[:1], give_time=agreed, expire_time=later, reference="form 7"
    )
    assert (await get(world, subject)).consent == consent
    assert (consent.statement_text, consent.statement_uri, consent.reference) == ("", given["statement_uri"], "form 7")
    assert (consent.give_time.ToDatetime(datetime.UTC), list(consent.purposes)) == (agreed, BOTH[:1])
    assert abs(consent.expire_time.ToDatetime(datetime.UTC) - later) < datetime.timedelta(milliseconds=1)
    assert consent.record_time.ToDatetime(datetime.UTC) > agreed
    assert "Yes." not in repr(world.rows(schema.consents))
    assert len(world.rows(schema.consents)) == 1


async def test_a_create_that_is_repeated_has_the_same_consent(world: World) -> None:
    subject = await world.acme.subject(request_id="r1", consent=TEXT)
    assert await world.acme.subject(request_id="r1", consent=TEXT) == subject
    with refused(AlreadyExistsError, "REQUEST_ID_REUSED") as caught:
        await world.acme.subject(request_id="r1", consent={**TEXT, "statement_version": "2"})
    assert [each.field for each in caught.value.violations] == ["consent.statement_version"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"statement_text": ""}, "statement_text"),
        ({"statement_uri": "https://example.org"}, "statement_uri"),
        ({"statement_text": "", "statement_uri": "https://example.org"}, "statement_sha256"),
        ({"statement_sha256": "ab" * 32}, "statement_sha256"),
        ({"give_time": {"seconds": 4_000_000_000}}, "give_time"),
        ({"expire_time": {"seconds": 1}}, "expire_time"),
    ],
)
async def test_a_consent_that_contradicts_itself_is_refused(changed: dict[str, Any], field: str, world: World) -> None:
    subject = await world.acme.subject(consent=None)
    consent = {**TEXT, **changed}
    with refused(InvalidArgumentError, "CONSENT_INVALID") as caught:
        await give(world, subject, **consent)
    assert [each.field for each in caught.value.violations] == [f"consent.{field}"]
    with refused(InvalidArgumentError, "CONSENT_INVALID"):
        await world.acme.subject(consent=consent)
    assert world.rows(schema.consents) == []
    assert len(world.rows(schema.subjects)) == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"statement_version": ""}, "consent.statement_version"),
        ({"statement_version": "1\0"}, "consent.statement_version"),
        ({"statement_text": "x" * 8193}, "consent.statement_text"),
        ({"statement_uri": "a b"}, "consent.statement_uri"),
        ({"statement_sha256": "AB" * 32}, "consent.statement_sha256"),
        ({"reference": "x" * 257}, "consent.reference"),
        ({"purposes": []}, "consent.purposes"),
        ({"purposes": BOTH[:1] * 2}, "consent.purposes"),
        ({"purposes": [0]}, "consent.purposes[0]"),
        ({"purposes": [7]}, "consent.purposes[0]"),
        ({"give_time": {"seconds": 10**12}}, "consent.give_time"),
        ({"expire_time": {"seconds": 4_000_000_000, "nanos": -5}}, "consent.expire_time"),
    ],
)
async def test_a_consent_that_breaks_its_constraints_is_refused(
    changed: dict[str, Any], field: str, world: World
) -> None:
    subject = await world.acme.subject(consent=None)
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED") as caught:
        await give(world, subject, **{**TEXT, **changed})
    assert [each.field for each in caught.value.violations] == [field]
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await world.acme.subject(consent={**TEXT, **changed})
    assert world.rows(schema.consents) == []


async def test_a_consent_is_given_for_somebody_and_to_something(world: World) -> None:
    with refused(InvalidArgumentError, "CONSTRAINT_VIOLATED"):
        await world.acme("GiveConsent", subjects_pb2.GiveConsentRequest(name=await world.acme.subject()))
    with refused(NotFoundError, "SUBJECT_NOT_FOUND"):
        await world.acme("GiveConsent", subjects_pb2.GiveConsentRequest(name="subjects/nobody", consent=MESSAGE))
