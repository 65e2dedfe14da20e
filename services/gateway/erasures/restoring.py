"""Brings receipts that a restored database has lost back from their copies in the log of erasures. Blocking.

It would give their numbers again. So whoever signs a receipt calls `bring_back` before. Each step may be repeated, by
any gateway: a receipt comes back once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, forget_deleted, read, write
from headshots.errors import HeadshotsError, UnavailableError
from headshots.receipts.signing import key_id
from headshots.receipts.verifying import read_public_keys, verify
from headshots.schema import erasure_chains, erasure_keys, erasures, subjects, tenants
from services.gateway.erasures import recording
from services.gateway.erasures.issuing import Issuer, lock_chain, move_head
from services.gateway.erasures.log import RECEIPTS, ErasureLog, ReceiptCopy
from services.gateway.erasures.models import Trigger
from services.gateway.erasures.rows import row_of
from services.gateway.tenants.ownership import lock_subject

_LOG = logging.getLogger(__name__)
_CHUNK = 500
"""Numbers in one statement; SQLite takes 32,766 values."""


class ReceiptsUnreadableError(UnavailableError):
    """Folders in the log of erasures have copies of receipts that cannot be read; those of all others were.

    Nobody has to wait for them to be served, but their tenants sign no receipt: numbers would be given again.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        super().__init__(
            "RECEIPTS_UNREADABLE",
            f"receipts in {', '.join(folders)} of the log of erasures cannot be read; this log names what is in the "
            "way: move it out of there, and they come back",
        )
        self.folders = tuple(folders)


def bring_all_back(engine: Engine, log: ErasureLog, *, whole: bool = False, own: Issuer | None = None) -> int:
    """Brings the receipts of all tenants back, as `bring_back` does; returns how many.

    Raises:
        ReceiptsUnreadableError: RECEIPTS_UNREADABLE: those of some cannot be read, and all others are back.
        UnavailableError: DATABASE_UNAVAILABLE.
    """
    found, unreadable = _tenants(engine, log, whole=whole)
    returned = 0
    for tenant_id in sorted(found):
        try:
            returned += bring_back(engine, log, tenant_id, whole=whole, own=own)
        except Exception as error:
            if getattr(error, "reason", None) == "DATABASE_UNAVAILABLE":
                raise
            # One tenant's holds up no other, and keeps its own receipts unsigned.
            _tell(f"receipts of tenant {tenant_id} cannot be brought back; none is signed before", error)
            unreadable.append(f"{RECEIPTS}/{tenant_id}")
    if unreadable:
        raise ReceiptsUnreadableError(unreadable)
    return returned


def _tenants(engine: Engine, log: ErasureLog, *, whole: bool) -> tuple[set[str], list[str]]:
    """Whose receipts may come back, and the folder that tells of them where a name in it cannot be read."""
    unreadable = []
    try:
        found = set(log.tenants_with_receipts())
    except HeadshotsError as error:
        _tell(f"{RECEIPTS} in the log of erasures cannot be listed; receipts of known tenants come back", error)
        found, unreadable = set(), [RECEIPTS]
    known = [sa.select(erasure_chains.c.tenant_id)] if whole else []
    with read(engine) as connection:
        for query in [sa.select(tenants.c.id)] if unreadable else known:
            found.update(connection.execute(query).scalars())
    return found, unreadable


def _tell(message: str, error: Exception) -> None:
    """Logs what failed; a defect's traceback too. Of a store's failure the store has logged what is in the way."""
    _LOG.error("%s: %s", message, error, exc_info=None if isinstance(error, HeadshotsError) else error)


def bring_back(
    engine: Engine, log: ErasureLog, tenant_id: str, *, whole: bool = False, own: Issuer | None = None
) -> int:
    """Brings a tenant's receipts back that have copies after the chain's head; returns how many.

    What is no receipt of the tenant's, by a key of the database's or `own`, is named in the log and left out; `own` is
    published where it has signed one. With `whole` all copies are held against the database: those of before the head
    come back too, two receipts of one number are named, and receipts whose copy is gone are copied again.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    known = _read_known(engine, tenant_id, whole=whole)
    copies = log.receipts(tenant_id, known.after)
    if copies and not known.tenant:
        _LOG.error(
            "the log of erasures has receipts of tenant %s, which the database does not know: once it is created again "
            "they come back",
            tenant_id,
        )
        return 0
    if whole:
        _copy_again(engine, tenant_id, known, copies)
    new = [copy for copy in copies if not _is_known(known, copy)]
    returned = sum(_insert(engine, log, known.keys, copy, own) for copy in new)
    if returned:
        # The salts of erasures that the backup had begun.
        forget_deleted(engine)
        _LOG.warning("%d receipts of tenant %s came back from the log of erasures", returned, tenant_id)
    return returned


@dataclass(frozen=True)
class _Known:
    """What the database knows of a tenant."""

    tenant: bool
    """Whether there is such a tenant."""
    after: int
    """Receipts up to this number were left out."""
    receipts: dict[int, str]
    """SHA-256 by number."""
    copied: set[int]
    keys: Sequence[Ed25519PublicKey]


def _read_known(engine: Engine, tenant_id: str, *, whole: bool) -> _Known:
    """Read before the copies are listed: whoever signs writes the row before the copy."""
    chain = sa.select(erasure_chains.c.head_number).where(erasure_chains.c.tenant_id == tenant_id)
    with read(engine) as connection:
        there = connection.execute(sa.select(tenants.c.id).where(tenants.c.id == tenant_id)).first() is not None
        after = 0 if whole else connection.execute(chain).scalar() or 0
        mine = sa.and_(erasures.c.tenant_id == tenant_id, erasures.c.number > after)
        columns = erasures.c.number, erasures.c.receipt_sha256, erasures.c.copied_at
        rows = connection.execute(sa.select(*columns).where(mine)).all()
        pems = connection.execute(sa.select(erasure_keys.c.public_key_pem)).scalars()
        keys = [key for pem in pems for key in read_public_keys(pem.encode("ascii"))]
    copied = {row.number for row in rows if row.copied_at is not None}
    return _Known(there, after, {row.number: row.receipt_sha256 for row in rows}, copied, keys)


def _is_known(known: _Known, copy: ReceiptCopy) -> bool:
    """Whether the database has a receipt of this number; one that is another is named."""
    sha256 = known.receipts.get(copy.number)
    if sha256 is not None and not copy.is_of(sha256):
        _tell_fork(copy, sha256)
    return sha256 is not None


def _tell_fork(copy: ReceiptCopy, sha256: str) -> None:
    _LOG.error(
        "%s in the log of erasures is another receipt of its number, or of its erasure, than %s… in the database; both "
        "stay",
        copy.key,
        sha256[:12],
    )


def _copy_again(engine: Engine, tenant_id: str, known: _Known, copies: Sequence[ReceiptCopy]) -> None:
    """Has receipts copied again whose copy is gone, as from a log that was moved without it."""
    listed = {copy.number for copy in copies if copy.is_of(known.receipts.get(copy.number, ""))}
    gone = iter(sorted(known.copied - listed))
    while numbers := list(islice(gone, _CHUNK)):
        with write(engine) as connection:
            mine = sa.and_(erasures.c.tenant_id == tenant_id, erasures.c.number.in_(numbers))
            connection.execute(sa.update(erasures).where(mine).values(copied_at=None))


def _insert(
    engine: Engine, log: ErasureLog, keys: Sequence[Ed25519PublicKey], copy: ReceiptCopy, own: Issuer | None
) -> bool:
    """Writes the row that a copy tells of, unless it is no receipt or is there; whether it was written."""
    try:
        known = [*keys, own.public_key] if own is not None else keys
        document = _document_in(copy, log.read_receipt(copy), known)
        values = row_of(document)
    except ValueError as error:
        _LOG.error("%s in the log of erasures is left out: %s", copy.key, error)
        return False
    if own is not None and document["key"] == key_id(own.public_key):
        own.publish_key(engine)
    with write(engine) as connection:
        return _insert_new(connection, copy, values)


def _document_in(copy: ReceiptCopy, data: bytes, keys: Sequence[Ed25519PublicKey]) -> dict[str, Any]:
    """What the receipt in a copy says. Raises ValueError, which tells why it is none."""
    (checked,) = verify({copy.key: data}, keys).receipts
    document = checked.document
    if document is None or checked.faults:
        raise ValueError("; ".join(checked.faults))
    told = document["tenant"], document["number"]
    if told != (copy.tenant_id, copy.number) or not copy.is_of(checked.sha256):
        raise ValueError("it is not the receipt that it is named after")
    return document


def _insert_new(connection: Connection, copy: ReceiptCopy, values: dict[str, Any]) -> bool:
    """Writes the row unless the receipt is there, and moves the chain's head; whether it was written."""
    reopened = _lock_reopened(connection, values["id"])
    chain = lock_chain(connection, copy.tenant_id)
    told = sa.or_(
        sa.and_(erasures.c.tenant_id == copy.tenant_id, erasures.c.number == copy.number), erasures.c.id == values["id"]
    )
    signed = connection.execute(sa.select(erasures).where(told, erasures.c.signed_at.is_not(None))).first()
    # Also past one that cannot come back: no number that was given is given again.
    if copy.number > chain.head_number:
        move_head(connection, copy.tenant_id, copy.number, values["receipt_sha256"])
    if signed is not None:
        # Another gateway may have been quicker.
        if signed.receipt_sha256 != values["receipt_sha256"]:
            _tell_fork(copy, signed.receipt_sha256)
        return False
    values["copied_at"] = database_now(connection)
    mine = erasures.c.id == values["id"]
    if not connection.execute(sa.update(erasures).where(mine).values(**values)).rowcount:
        connection.execute(sa.insert(erasures).values(**values))
    if reopened is not None:
        recording.begin(connection, copy.tenant_id, reopened, Trigger.REPLAY)
    return True


def _lock_reopened(connection: Connection, erasure_id: str) -> str | None:
    """The subject of this erasure, locked, where the backup is from before it was complete: it is to be erased again.

    In the order in which those lock who erase it.
    """
    mine = sa.select(erasures.c.subject_id).where(erasures.c.id == erasure_id)
    subject_id: str | None = connection.execute(mine).scalar()
    if subject_id is None:
        return None
    lock_subject(connection, subject_id)
    connection.execute(mine.with_for_update())
    there = connection.execute(sa.select(subjects.c.id).where(subjects.c.id == subject_id)).first()
    return None if there is None else subject_id
