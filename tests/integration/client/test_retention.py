"""Tests the SDK's calls about how long people are kept, against a gateway in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from headshots.client import AsyncHeadshots
from headshots.errors import FailedPreconditionError, InvalidArgumentError


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
