"""Tests the SDK's calls about how long people are kept, against a gateway in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from headshots.client import AsyncHeadshots
from headshots.errors import FailedPreconditionError, InvalidArgumentError
from tests.support.fake_gateway.gateway import FakeGateway
from tests.support.fake_gateway.prepared import trained


async def test_a_subject_is_kept_for_its_time_and_longer(client: AsyncHeadshots) -> None:
    assert (await client.get_tenant()).retention_seconds == 30 * 86400
    subject = await client.create_subject("Ada", retention_seconds=7200)
    assert subject.create_time is not None
    assert subject.expire_time is not None
    assert subject.expire_time - subject.create_time == timedelta(hours=2)
    later = subject.expire_time + timedelta(days=3)
    assert (await client.extend_retention(subject, later)).expire_time == later
    with pytest.raises(InvalidArgumentError, match="RETENTION_INVALID"):
        await client.extend_retention(subject, later - timedelta(hours=1))


async def test_a_subject_is_held_and_released(client: AsyncHeadshots) -> None:
    subject = await client.create_subject("Ada")
    assert subject.hold is None
    hold = (await client.hold_subject(subject, "a dispute")).hold
    assert hold is not None
    assert (hold.reason, hold.hold_time is None) == ("a dispute", False)
    with pytest.raises(FailedPreconditionError, match="SUBJECT_HELD"):
        await client.delete_subject(subject)
    assert (await client.release_subject(subject)).hold is None
    await client.delete_subject(subject)


async def test_a_tenant_says_how_long_its_people_and_their_photos_are_kept(client: AsyncHeadshots) -> None:
    assert (await client.get_tenant()).photo_retention_seconds is None
    changed = await client.update_tenant(photo_retention_seconds=0)
    assert (changed.retention_seconds, changed.photo_retention_seconds) == (30 * 86400, 0)
    changed = await client.update_tenant(retention_seconds=7200)
    assert (changed.retention_seconds, changed.photo_retention_seconds) == (7200, 0)
    assert await client.get_tenant() == changed
    changed = await client.update_tenant(retention_seconds=None, photo_retention_seconds=None)
    assert (changed.retention_seconds, changed.photo_retention_seconds) == (30 * 86400, None)
    with pytest.raises(InvalidArgumentError, match="UPDATE_MASK_INVALID"):
        await client.update_tenant()


async def test_a_tenant_says_what_its_images_say_of_rights(client: AsyncHeadshots, fake: FakeGateway) -> None:
    first = await client.get_tenant()
    assert (first.rights_owner, first.usage_terms, first.licence, first.prompts_in_images) == (None, None, None, False)
    changed = await client.update_tenant(rights_owner="Ada", usage_terms="All.", licence="", prompts_in_images=True)
    assert (changed.rights_owner, changed.usage_terms, changed.licence) == ("Ada", "All.", "")
    assert changed.prompts_in_images
    assert list(fake.requests[-1].update_mask.paths) == ["rights_owner", "usage_terms", "licence", "prompts_in_images"]
    changed = await client.update_tenant(licence=None, prompts_in_images=False)
    assert (changed.rights_owner, changed.usage_terms, changed.licence) == ("Ada", "All.", None)
    assert not changed.prompts_in_images


async def test_orders_say_that_nothing_need_be_judged_and_subjects_how_long_photos_stay(
    client: AsyncHeadshots, fake: FakeGateway
) -> None:
    await client.create_subject("Ada", photo_retention_seconds=0)
    assert fake.requests[-1].HasField("photo_retention_seconds")
    await client.create_subject("Bob")
    assert not fake.requests[-1].HasField("photo_retention_seconds")
    subject = await trained(client)
    fake.subjects[subject.name].photo_expire_time.FromJsonString("2026-02-03T04:05:06Z")
    assert (await client.get_subject(subject)).photo_expire_time == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    for allow in (True, False):
        await client.create_gallery(subject, ["studio-navy-suit"], allow_unjudged=allow, validate_only=True)
        assert fake.requests[-1].allow_unjudged is allow


async def test_those_that_end_soon_are_listed(client: AsyncHeadshots) -> None:
    for hours in (3, 1, 48):
        await client.create_subject(str(hours), retention_seconds=3600 * hours)
    soon = datetime.now(UTC) + timedelta(days=1)
    assert [each.display_name async for each in client.list_subjects(expire_before=soon)] == ["1", "3"]
