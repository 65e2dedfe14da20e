"""Stores the photos of a stream, all or none, labels them and lists them in upload order. Blocking SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, forget_deleted, read, write
from headshots.errors import FailedPreconditionError, NotFoundError
from headshots.schema import photos
from services.gateway.api.errors import not_found
from services.gateway.api.labels import Labelling, LabellingChange
from services.gateway.api.names import photo_name, photo_name_of, subject_name
from services.gateway.api.pages import cut_page, decode_token
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.erasures.commitments import commit
from services.gateway.erasures.models import StoreClass
from services.gateway.photos.limits import MAX_PHOTOS
from services.gateway.photos.models import Photo
from services.gateway.photos.uploads import SpooledPhoto, duplicate_photo
from services.gateway.tenants.ownership import find_subject, lock_subject, object_prefix


def photo_key(tenant_id: str, subject_id: str, png_sha256: str) -> str:
    """The key of a normalised photo in the object store."""
    return f"{object_prefix(tenant_id, subject_id)}/photos/{png_sha256}.png"


def store_photos(
    engine: Engine, store: ArtifactStore, tenant_id: str, subject_id: str, spooled: list[SpooledPhoto]
) -> list[Photo]:
    """Puts the files and inserts the rows of one stream; after a failure neither is left.

    The subject stays locked from the checks to the commit. So two streams with the same picture cannot both pass, and
    a failing one cannot remove what another has just stored.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        AlreadyExistsError: PHOTO_DUPLICATE.
        FailedPreconditionError: TOO_MANY_PHOTOS.
        UnavailableError: OBJECT_STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    keys: list[str] = []
    try:
        with write(engine) as connection:
            find_subject(connection, tenant_id, subject_id, lock=True)
            position = _check_new_photos(connection, subject_id, spooled)
            now = database_now(connection)
            for photo in spooled:
                keys.append(photo_key(tenant_id, subject_id, photo.png_sha256))
                png = photo.path.read_bytes()
                store.put_sync(keys[-1], png)
                _insert(connection, subject_id, photo, keys[-1], position + photo.number, now)
                commit(connection, subject_id, StoreClass.PHOTOS, keys[-1], photo.png_sha256, len(png))
            record(connection, tenant_id, subject_id, Action.PHOTOS_UPLOADED, count=len(spooled))
            rows = connection.execute(_of_subject(subject_id).where(photos.c.position >= position)).all()
            return [_to_photo(row) for row in rows]
    except BaseException:
        _remove_unreferenced(engine, store, subject_id, keys)
        raise


def _check_new_photos(connection: Connection, subject_id: str, spooled: list[SpooledPhoto]) -> int:
    """Refuses duplicates and too many photos; returns the first free position."""
    existing = connection.execute(_of_subject(subject_id)).all()
    for photo in spooled:
        for row in existing:
            if row.sha256 == photo.sha256 or row.object_sha256 == photo.png_sha256:
                raise duplicate_photo(photo.number, photo.filename, "a photo that the subject has already")
    count = len(existing)
    if count + len(spooled) > MAX_PHOTOS:
        raise FailedPreconditionError(
            "TOO_MANY_PHOTOS",
            f"the subject has {count} photos and may have {MAX_PHOTOS}; send at most {MAX_PHOTOS - count}",
        )
    return max((row.position for row in existing), default=-1) + 1


def _insert(connection: Connection, subject_id: str, photo: SpooledPhoto, key: str, position: int, now: float) -> None:
    connection.execute(
        sa.insert(photos).values(
            subject_id=subject_id,
            sha256=photo.sha256,
            key=key,
            object_sha256=photo.png_sha256,
            filename=photo.filename,
            size_bytes=photo.size_bytes,
            width_px=photo.width_px,
            height_px=photo.height_px,
            position=position,
            created_at=now,
            **photo.labelling.fields,
        )
    )


def _remove_unreferenced(engine: Engine, store: ArtifactStore, subject_id: str, keys: list[str]) -> None:
    """Removes the objects that a failed stream put; under the subject's lock, so that another stream's stay."""
    if not keys:
        return
    with write(engine) as connection:
        lock_subject(connection, subject_id)
        kept = set(connection.execute(sa.select(photos.c.key).where(photos.c.key.in_(keys))).scalars())
        for key in keys:
            if key not in kept:
                store.delete_sync(key)


def find_photo(connection: Connection, subject_id: str, photo_id: str) -> Row[Any]:
    """The row of a photo; the caller has found the subject.

    Raises:
        NotFoundError: PHOTO_NOT_FOUND.
    """
    row = connection.execute(sa.select(photos).where(is_photo(subject_id, photo_id))).first()
    if row is None:
        raise not_found("PHOTO_NOT_FOUND", photo_name_of(subject_id, photo_id), listed_by="ListPhotos")
    return row


def is_photo(subject_id: str, photo_id: str) -> sa.ColumnElement[bool]:
    """Selects the row of a photo, by the id in its name."""
    return sa.and_(photos.c.subject_id == subject_id, photos.c.sha256.startswith(photo_id, autoescape=True))


def label_photo(engine: Engine, tenant_id: str, subject_id: str, photo_id: str, change: LabellingChange) -> Photo:
    """Changes what is not None; the photo as it is now.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, PHOTO_NOT_FOUND.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        find_photo(connection, subject_id, photo_id)
        if change.columns:
            mine = is_photo(subject_id, photo_id)
            connection.execute(sa.update(photos).where(mine).values(**change.columns))
        changed = _to_photo(find_photo(connection, subject_id, photo_id))
    if change.columns:
        forget_deleted(engine)
    return changed


def list_photos(
    engine: Engine, tenant_id: str, subject_id: str, wanted: Labelling, size: int, token: str
) -> tuple[list[Photo], str]:
    """A page of those that are labelled as wanted, in upload order, and the next token.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    query = _of_subject(subject_id).where(wanted.where(photos)).limit(size + 1)
    if position := decode_token(token, (int,)):
        query = query.where(photos.c.position > position[0])
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        rows, next_token = cut_page(connection.execute(query).all(), size, lambda row: (row.position,))
    return [_to_photo(row) for row in rows], next_token


def all_photos(engine: Engine, tenant_id: str, subject_id: str) -> list[tuple[Photo, str]]:
    """Every photo with its key in the object store, in upload order.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
    """
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        return [(_to_photo(row), row.key) for row in connection.execute(_of_subject(subject_id))]


def photo_refs(connection: Connection, subject_id: str, wanted: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """(key, SHA-256 of the object) of the photos with the names in `wanted`, else of all, in upload order.

    Raises:
        NotFoundError: PHOTO_NOT_FOUND.
    """
    refs = {
        photo_name(subject_id, row.sha256): (row.key, row.object_sha256)
        for row in connection.execute(_of_subject(subject_id))
    }
    for name in wanted:
        if name not in refs:
            message = f"{subject_name(subject_id)} has no {name}; ListPhotos tells what it has"
            raise NotFoundError("PHOTO_NOT_FOUND", message, metadata={"name": name})
    return tuple(ref for name, ref in refs.items() if not wanted or name in wanted)


def count_photos(connection: Connection, subject_ids: Sequence[str]) -> dict[str, int]:
    """Photos by subject; subjects without photos are left out."""
    rows = connection.execute(
        sa.select(photos.c.subject_id, sa.func.count().label("photos"))
        .where(photos.c.subject_id.in_(subject_ids))
        .group_by(photos.c.subject_id)
    )
    return {row.subject_id: int(row.photos) for row in rows}


def keys_of_subjects(engine: Engine, subject_ids: Sequence[str]) -> dict[str, set[str]]:
    """Keys of the photos by subject; subjects without photos are left out."""
    found: dict[str, set[str]] = {}
    with read(engine) as connection:
        query = sa.select(photos.c.subject_id, photos.c.key).where(photos.c.subject_id.in_(subject_ids))
        for row in connection.execute(query):
            found.setdefault(row.subject_id, set()).add(row.key)
    return found


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the rows of an erased subject."""
    connection.execute(sa.delete(photos).where(photos.c.subject_id == subject_id))


def _of_subject(subject_id: str) -> sa.Select[Any]:
    return sa.select(photos).where(photos.c.subject_id == subject_id).order_by(photos.c.position)


def _to_photo(row: Row[Any]) -> Photo:
    return Photo(
        row.subject_id,
        row.sha256,
        row.size_bytes,
        row.width_px,
        row.height_px,
        row.filename,
        row.created_at,
        Labelling.of_row(row),
    )
