"""Labels photos and lists them in upload order, those whose time has not come. Blocking SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.database import forget_deleted, now_expression, read, write
from headshots.errors import NotFoundError
from headshots.schema import photos
from services.gateway.api.errors import not_found
from services.gateway.api.labels import Labelling, LabellingChange
from services.gateway.api.names import photo_name, photo_name_of, subject_name
from services.gateway.api.pages import cut_page, decode_token
from services.gateway.photos.models import Photo
from services.gateway.tenants.ownership import find_subject


def find_photo(connection: Connection, subject_id: str, photo_id: str) -> Row[Any]:
    """The row of a photo; the caller has found the subject.

    Raises:
        NotFoundError: PHOTO_NOT_FOUND.
    """
    query = photos_of_subject(connection, subject_id).where(is_photo(subject_id, photo_id))
    row = connection.execute(query).first()
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
        changed = to_photo(find_photo(connection, subject_id, photo_id))
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
    position = decode_token(token, (int,))
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        query = photos_of_subject(connection, subject_id).where(wanted.where(photos)).limit(size + 1)
        if position:
            query = query.where(photos.c.position > position[0])
        rows, next_token = cut_page(connection.execute(query).all(), size, lambda row: (row.position,))
    return [to_photo(row) for row in rows], next_token


def all_photos(engine: Engine, tenant_id: str, subject_id: str) -> list[tuple[Photo, str]]:
    """Every photo with its key in the object store, in upload order.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND.
    """
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        return [(to_photo(row), row.key) for row in connection.execute(photos_of_subject(connection, subject_id))]


def reference_keys(engine: Engine, tenant_id: str, subject_id: str) -> tuple[str, ...]:
    """Keys of the photos that images of a running gallery are judged against, in upload order.

    Also of those whose time has come: they are removed once the gallery has ended. Raises as `all_photos`.
    """
    mine = sa.select(photos.c.key).where(photos.c.subject_id == subject_id).order_by(photos.c.position)
    with read(engine) as connection:
        find_subject(connection, tenant_id, subject_id)
        return tuple(connection.execute(mine).scalars())


def photo_refs(connection: Connection, subject_id: str, wanted: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """(key, SHA-256 of the object) of the photos with the names in `wanted`, else of all, in upload order.

    Raises:
        NotFoundError: PHOTO_NOT_FOUND.
    """
    refs = {
        photo_name(subject_id, row.sha256): (row.key, row.object_sha256)
        for row in connection.execute(photos_of_subject(connection, subject_id))
    }
    for name in wanted:
        if name not in refs:
            message = f"{subject_name(subject_id)} has no {name}; ListPhotos tells what it has"
            raise NotFoundError("PHOTO_NOT_FOUND", message, metadata={"name": name})
    return tuple(ref for name, ref in refs.items() if not wanted or name in wanted)


def number_of(subject_id: sa.ColumnElement[str], dialect: str) -> sa.ScalarSelect[int]:
    """How many photos a subject has, for rows with this column."""
    counted = sa.select(sa.func.count()).select_from(photos)
    return counted.where(photos.c.subject_id == subject_id, kept(dialect)).scalar_subquery()


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


def photos_of_subject(connection: Connection, subject_id: str) -> sa.Select[Any]:
    """Those whose time has not come, in upload order."""
    mine = photos.c.subject_id == subject_id
    return sa.select(photos).where(mine, kept(connection.dialect.name)).order_by(photos.c.position)


def kept(dialect: str) -> sa.ColumnElement[bool]:
    """Photos whose time has not come, whether or not a sweep has removed the others."""
    return sa.or_(photos.c.expires_at.is_(None), photos.c.expires_at > now_expression(dialect))


def to_photo(row: Row[Any]) -> Photo:
    return Photo(
        row.subject_id,
        row.sha256,
        row.size_bytes,
        row.width_px,
        row.height_px,
        row.filename,
        row.created_at,
        Labelling.of_row(row),
        row.expires_at,
    )
