"""Tests the SDK's calls about erasures, against a gateway in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from headshots.client import (
    AsyncHeadshots,
    Erasure,
    ErasureCommitment,
    ErasureState,
    ErasureTrigger,
)
from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.receipts.verifying import read_public_keys, verify
from headshots.v1 import erasures_pb2
from tests.support.fake_gateway.gateway import FakeGateway

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


async def test_an_erasure_is_told_with_its_receipt(client: AsyncHeadshots, fake: FakeGateway) -> None:
    made = fake.erasures[fake.erase("cd" * 32)]
    found = await client.get_erasure_receipt(made.name)
    assert found == Erasure(
        name=made.name,
        state=ErasureState.COMPLETE,
        trigger=ErasureTrigger.REQUEST,
        subject_commitment="cd" * 32,
        request_time=EPOCH + HOUR,
        erase_time=EPOCH + HOUR + SECOND,
        sign_time=EPOCH + HOUR + SECOND,
        backups_end_time=EPOCH + HOUR + SECOND,
        number=1,
        receipt=made.receipt,
        receipt_sha256=made.receipt_sha256,
    )
    assert await client.get_erasure_receipt(found) == found
    assert await client.get_erasure_receipt(made.name.split("/")[1]) == found
    (key,) = [each async for each in client.list_erasure_keys()]
    assert key.create_time == EPOCH + HOUR
    assert verify({"it": found.receipt.encode()}, read_public_keys(key.public_key_pem.encode())).is_whole
    with pytest.raises(NotFoundError, match="ERASURE_NOT_FOUND"):
        await client.get_erasure_receipt("erasures/none")
    with pytest.raises(InvalidArgumentError, match="names no erasure"):
        await client.get_erasure_receipt("subjects/s0")


async def test_erasures_are_listed_newest_first_over_pages(client: AsyncHeadshots, fake: FakeGateway) -> None:
    names = [fake.erase(f"{number:064x}", is_signed=number != 4) for number in range(5)]
    found = [each async for each in client.list_erasure_receipts(page_size=2)]
    assert [each.name for each in found] == names[::-1]
    assert fake.calls["ListErasureReceipts"] == 3
    pending = found[0]
    assert (pending.state, pending.number, pending.receipt) == (ErasureState.PENDING, 0, "")
    assert (pending.erase_time, pending.sign_time, pending.backups_end_time) == (None, None, None)
    only = [each.name async for each in client.list_erasure_receipts(subject_commitment=f"{2:064x}")]
    assert only == [names[2]]


async def test_commitments_of_a_subject_are_listed(client: AsyncHeadshots, fake: FakeGateway) -> None:
    subject = await client.create_subject()
    for number in range(3):
        fake.commitments.append(
            erasures_pb2.ErasureCommitment(
                store_class="photos", commitment=f"{number:064x}", size_bytes=7, object_sha256="ab" * 32
            )
        )
    found = [each async for each in client.list_erasure_commitments(subject)]
    assert found == [ErasureCommitment("photos", f"{number:064x}", 7, "ab" * 32, None) for number in range(3)]
    with pytest.raises(NotFoundError, match="SUBJECT_NOT_FOUND"):
        assert [each async for each in client.list_erasure_commitments("nobody")]


def test_the_sdk_knows_every_state_and_trigger() -> None:
    for mine, theirs, prefix in (
        (ErasureState, erasures_pb2.ErasureState, "ERASURE_STATE_"),
        (ErasureTrigger, erasures_pb2.ErasureTrigger, "ERASURE_TRIGGER_"),
    ):
        names = [name.removeprefix(prefix) for name in theirs.DESCRIPTOR.values_by_name]
        assert [each.value for each in mine] == names[1:]
