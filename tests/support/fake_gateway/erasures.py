"""Answers the calls about erasures."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import FIRST
from headshots.v1 import erasures_pb2
from tests.support.fake_gateway.state import FakeState, find, page
from tests.support.receipts import receipt

HOUR = 3600


class FakeErasures(FakeState):
    """Tells the erasures that a test has made, signed with a key of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.receipt_key = ReceiptKey(Ed25519PrivateKey.generate())
        self.erasures: dict[str, erasures_pb2.Erasure] = {}
        self.commitments: list[erasures_pb2.ErasureCommitment] = []

    def erase(self, commitment: str = "ab" * 32, *, is_signed: bool = True) -> str:
        """An erasure, as many hours after the epoch as its number tells; its name."""
        number = len(self.erasures) + 1
        made = erasures_pb2.Erasure(
            name=f"erasures/{number:032x}",
            state=erasures_pb2.ERASURE_STATE_COMPLETE if is_signed else erasures_pb2.ERASURE_STATE_PENDING,
            trigger=erasures_pb2.ERASURE_TRIGGER_REQUEST,
            subject_commitment=commitment,
        )
        made.request_time.FromSeconds(number * HOUR)
        if is_signed:
            before = list(self.erasures.values())[-1].receipt_sha256 if self.erasures else FIRST
            data = receipt(self.receipt_key, number, before, subject=commitment)
            made.number, made.receipt = number, data.decode()
            made.receipt_sha256 = hashlib.sha256(data).hexdigest()
            for field in (made.erase_time, made.sign_time, made.backups_end_time):
                field.FromSeconds(number * HOUR + 1)
        self.erasures[made.name] = made
        return made.name

    async def GetErasureReceipt(
        self, request: erasures_pb2.GetErasureReceiptRequest, context: Any
    ) -> erasures_pb2.GetErasureReceiptResponse:
        self.enter("GetErasureReceipt", request)
        found = find(self.erasures, request.name, "ERASURE_NOT_FOUND")
        return erasures_pb2.GetErasureReceiptResponse(erasure=found)

    async def ListErasureReceipts(
        self, request: erasures_pb2.ListErasureReceiptsRequest, context: Any
    ) -> erasures_pb2.ListErasureReceiptsResponse:
        self.enter("ListErasureReceipts", request)
        wanted = request.subject_commitment
        found = [each for each in self.erasures.values() if wanted in ("", each.subject_commitment)]
        items, token = page(found[::-1], request)
        return erasures_pb2.ListErasureReceiptsResponse(erasures=items, next_page_token=token)

    async def ListErasureKeys(
        self, request: erasures_pb2.ListErasureKeysRequest, context: Any
    ) -> erasures_pb2.ListErasureKeysResponse:
        self.enter("ListErasureKeys", request)
        key = erasures_pb2.ErasureKey(
            name=f"erasureKeys/{self.receipt_key.id}", public_key_pem=self.receipt_key.public_pem
        )
        key.create_time.FromSeconds(HOUR)
        return erasures_pb2.ListErasureKeysResponse(keys=[key])

    async def ListErasureCommitments(
        self, request: erasures_pb2.ListErasureCommitmentsRequest, context: Any
    ) -> erasures_pb2.ListErasureCommitmentsResponse:
        self.enter("ListErasureCommitments", request)
        find(self.subjects, request.parent, "SUBJECT_NOT_FOUND")
        items, token = page(self.commitments, request)
        return erasures_pb2.ListErasureCommitmentsResponse(commitments=items, next_page_token=token)
