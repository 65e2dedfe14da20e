"""Tests the SDK's calls about consents, against a gateway in memory."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime

import pytest

from headshots.client import AsyncHeadshots, Consent, ConsentPurpose
from headshots.errors import FailedPreconditionError, NotFoundError
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.prepared import subject_with_photos

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


async def test_a_consent_goes_with_the_subject_and_comes_back(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await client.create_subject("Ada", consent=Consent("Yes.", "2", reference="form 7"))
    assert fake.calls.total() == 1, "one call makes both"
    agreed = subject.consent
    assert agreed is not None
    assert (agreed.text, agreed.version, agreed.reference) == ("Yes.", "2", "form 7")
    assert agreed.purposes == (ConsentPurpose.TRAINING, ConsentPurpose.PAINTING)
    assert agreed.sha256 == hashlib.sha256(b"Yes.").hexdigest()
    assert agreed.give_time == agreed.record_time
    assert agreed.expire_time is None
    assert (await client.create_subject()).consent is None


async def test_a_consent_is_given_later_with_all_that_it_may_have(client: AsyncHeadshots) -> None:
    subject = await client.create_subject()
    elsewhere = Consent(
        version="3",
        purposes=(ConsentPurpose.PAINTING,),
        uri="https://example.org/3",
        sha256="ab" * 32,
        give_time=WHEN,
        expire_time=WHEN.replace(year=2030),
    )
    given = (await client.give_consent(subject, elsewhere)).consent
    assert given is not None
    assert given.record_time is not None
    assert dataclasses.replace(given, record_time=None) == elsewhere
    assert (await client.get_subject(subject)).consent == given


async def test_a_consent_is_withdrawn_with_all_that_there_is(client: AsyncHeadshots) -> None:
    subject = await subject_with_photos(client)
    with pytest.raises(FailedPreconditionError, match="CONSENT_MISSING"):
        await client.withdraw_consent(subject)
    await client.give_consent(subject, Consent("Yes."))
    done = await client.withdraw_consent(subject)
    assert (done.erased, done.deleted_objects, done.erasure) == (True, 6, "erasures/e0")
    with pytest.raises(NotFoundError):
        await client.get_subject(subject)


async def test_a_tenant_tells_whether_its_people_have_to_consent(client: AsyncHeadshots, fake: FakeGateway) -> None:
    assert not (await client.get_tenant()).consent_required
    fake.requires_consent = True
    assert (await client.get_tenant()).consent_required
