"""Signs receipts of erasures in tests, and waits for those of a gateway."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import read_public_keys
from headshots.v1 import erasures_pb2
from services.gateway.erasures.issuing import Issuer
from tests.support.gateway.caller import Caller
from tests.support.waiting import until


def issuer(*, backup_horizon_days: int = 0) -> Issuer:
    """One with a key of its own."""
    return Issuer(ReceiptKey(Ed25519PrivateKey.generate()), backup_horizon_days=backup_horizon_days)


def public_key(pem: str) -> Ed25519PublicKey:
    """The key of a PEM."""
    (key,) = read_public_keys(pem.encode())
    return key


async def erasures_of(caller: Caller, **asked: Any) -> list[erasures_pb2.Erasure]:
    """All that a list has, oldest first."""
    request = erasures_pb2.ListErasureReceiptsRequest(**{"page_size": 1000, **asked})
    answer = await caller("ListErasureReceipts", request)
    assert not answer.next_page_token
    return list(answer.erasures)[::-1]


async def keys_of(caller: Caller) -> list[Ed25519PublicKey]:
    """The keys that receipts are or were signed with, newest first."""
    answer = await caller("ListErasureKeys", erasures_pb2.ListErasureKeysRequest())
    return [public_key(key.public_key_pem) for key in answer.keys]


async def commitments_of(caller: Caller, subject: str) -> list[erasures_pb2.ErasureCommitment]:
    """All of a subject."""
    request = erasures_pb2.ListErasureCommitmentsRequest(parent=subject, page_size=1000)
    answer = await caller("ListErasureCommitments", request)
    assert not answer.next_page_token
    return list(answer.commitments)


async def signed(caller: Caller, name: str) -> erasures_pb2.Erasure:
    """The erasure of this name, once a gateway has signed its receipt."""
    request = erasures_pb2.GetErasureReceiptRequest(name=name)

    async def is_signed() -> bool:
        return bool((await caller("GetErasureReceipt", request)).erasure.receipt)

    await until(is_signed)
    found: erasures_pb2.Erasure = (await caller("GetErasureReceipt", request)).erasure
    return found
