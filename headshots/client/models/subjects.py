"""Defines tenants, subjects, their consents and adapters as the SDK has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum


@dataclass(frozen=True)
class Tenant:
    """The customer that the API key names."""

    name: str
    display_name: str
    create_time: datetime | None
    consent_required: bool = True
    """Whether its subjects have to consent before they are trained and painted."""
    retention_seconds: int = 0
    """How long its subjects are kept after their last delivery."""
    photo_retention_seconds: int | None = None
    """How long photos are kept after a delivery, 0: they go with it; None: as long as their subject."""
    adapter_retention_seconds: int | None = None
    """How long adapters are kept after they are delivered; None: as long as their subject."""
    image_retention_seconds: int | None = None
    """How long images are kept after their gallery has ended; None: as long as their subject."""
    rights_owner: str | None = None
    """Who owns its images, as they say themselves; None, as of the next two: what the installation says."""
    usage_terms: str | None = None
    """What may be done with them."""
    licence: str | None = None
    """Their licence, a web page's address or a text; empty: none."""
    prompts_in_images: bool = False
    """Whether they say the prompts that they were painted from."""


class Unchanged(Enum):
    """What a call leaves as it is, where None says something."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


class ConsentPurpose(StrEnum):
    """What a person agrees to: that an adapter is trained on their photos, that portraits of them are painted."""

    TRAINING = "TRAINING"
    PAINTING = "PAINTING"


@dataclass(frozen=True)
class Consent:
    """What a person agreed to, as you got it; to give one, and as a subject tells it."""

    text: str = ""
    """The statement that the person agreed to, at most 8192 characters; else `uri` and `sha256`."""
    version: str = "1"
    """Which version of the statement, 1 to 64 characters."""
    purposes: tuple[ConsentPurpose, ...] = tuple(ConsentPurpose)
    uri: str = ""
    """Where the statement is kept, in place of `text`; never opened."""
    sha256: str = ""
    """Of the statement's UTF-8 bytes, in hex; of `text` the gateway makes it."""
    give_time: datetime | None = None
    """When the person agreed; None: now."""
    reference: str = ""
    """Your own note of how, as the id of a form; at most 256 characters."""
    expire_time: datetime | None = None
    """From when on it holds no longer; None: until it is withdrawn."""
    record_time: datetime | None = None
    """When the gateway recorded it; not sent."""


@dataclass(frozen=True)
class Withdrawal:
    """What became of a subject whose consent was withdrawn.

    `erased`: whether it is gone already; else its jobs are being stopped, and the gateway erases it once they have
    ended. `deleted_objects`: objects removed from the object store so far. `erasure`: its name, `erasures/ID`, which
    `get_erasure_receipt` takes.
    """

    erased: bool
    deleted_objects: int
    erasure: str


@dataclass(frozen=True)
class Deletion:
    """What became of a subject that was deleted.

    `deleted_objects`: objects removed from the object store. `erasure`: its name, `erasures/ID`, which
    `get_erasure_receipt` takes.
    """

    deleted_objects: int
    erasure: str


@dataclass(frozen=True)
class Hold:
    """Why a subject is kept whatever its `expire_time`, and since when."""

    reason: str
    hold_time: datetime | None


@dataclass(frozen=True)
class Adapter:
    """A subject's LoRA in the server's object store; `sha256` identifies it everywhere."""

    sha256: str
    key: str
    foundation_digest: str
    rank: int
    trigger: str
    size_bytes: int
    kohya_key: str
    manifest_key: str


@dataclass(frozen=True)
class Subject:
    """A person. `adapter` is what galleries use: that of the newest successful training."""

    name: str
    display_name: str
    class_noun: str
    create_time: datetime | None
    photo_count: int
    adapter: Adapter | None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""
    consent: Consent | None = None
    """What the person agreed to, which may have expired; None: no consent was given."""
    expire_time: datetime | None = None
    """From when on calls answer SUBJECT_EXPIRED and the gateway erases the subject; a hold suspends it."""
    hold: Hold | None = None
    """Why it is kept whatever its `expire_time`; None: it is not held."""
    erasure_commitment: str = ""
    """What the receipt of its erasure will call it; empty: it is older than commitments."""
    photo_expire_time: datetime | None = None
    """From when on no call uses the photos of the last delivery; None: as long as the subject, or none is delivered."""
    foundation: str = ""
    """`foundations/{foundation}` of the adapter; empty without one."""


SubjectRef = Subject | str
