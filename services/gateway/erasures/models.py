"""Defines erasures, their receipts and commitments as frozen dataclasses. Times are seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class StoreClass(Enum):
    """What is committed to; the value stands in rows and receipts, so none is ever renamed."""

    SUBJECT = "subject"
    """The subject itself: receipts name it by that alone."""
    PHOTOS = "photos"
    ADAPTERS = "adapters"
    IMAGES = "images"


class Trigger(Enum):
    """What began an erasure; the value stands in rows, in receipts and in the log, so none is ever renamed."""

    REQUEST = "REQUEST"
    EXPIRY = "EXPIRY"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    REPLAY = "REPLAY"
    """The subject came back from a backup."""
    UNKNOWN = "UNKNOWN"
    """A gateway that knows no receipts began it."""


class State(Enum):
    """How far an erasure is."""

    PENDING = "PENDING"
    """No receipt is signed yet."""
    PENDING_BACKUPS = "PENDING_BACKUPS"
    """It is signed; backups may have what was erased until their stated horizon is over."""
    COMPLETE = "COMPLETE"


class Gap(Enum):
    """Why a receipt says less than others; the value stands in receipts."""

    SUBJECT_UNCOMMITTED = "SUBJECT_UNCOMMITTED"
    """The subject was made before there were commitments."""
    RECORDED_LATE = "RECORDED_LATE"
    """A gateway that knows no receipts began the erasure: what it removed is not counted."""
    OBJECTS_MISSING = "OBJECTS_MISSING"
    """Objects that were committed to were not in the store any more; `count` tells how many."""


@dataclass(frozen=True)
class Commitment:
    """A commitment to a subject, or to an object of it."""

    store_class: str
    commitment: str
    """64 hex digits; see `headshots.receipts.merkle`."""
    size_bytes: int
    object_sha256: str
    created_at: float


@dataclass(frozen=True)
class Erasure:
    """An erasure, and its receipt once it is signed."""

    id: str
    state: State
    trigger: Trigger
    requested_at: float
    erased_at: float | None
    signed_at: float | None
    backups_until: float | None
    subject_commitment: str
    """Empty: there is none."""
    number: int
    """0: it is not signed."""
    receipt: str
    """Canonical JSON; empty: it is not signed."""
    receipt_sha256: str


@dataclass(frozen=True)
class PublicKey:
    """A key that receipts are or were signed with."""

    id: str
    pem: str
    created_at: float


@dataclass(frozen=True)
class Unfinished:
    """A subject that is being erased."""

    tenant_id: str
    subject_id: str
    erased_at: float | None
    """When all that it had was removed; None: it is not yet."""
    begun_at: float | None
    """When that began; None: it may have begun before it was recorded."""

    @property
    def is_erased(self) -> bool:
        """Whether only the last look and the receipt are left."""
        return self.erased_at is not None
