"""Stores the photos of a stream, all or none. Blocking SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.artifacts import ArtifactStore
from headshots.database import database_now, write
from headshots.errors import FailedPreconditionError
from headshots.schema import photos
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.erasures.commitments import commit, forget
from services.gateway.erasures.models import StoreClass
from services.gateway.photos.limits import MAX_PHOTOS
from services.gateway.photos.models import Photo
from services.gateway.photos.rows import kept, photos_of_subject, to_photo
from services.gateway.photos.streams import filename_suffix
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
            added = photos_of_subject(connection, subject_id).where(photos.c.position >= position)
            rows = connection.execute(added).all()
            return [to_photo(row) for row in rows]
    except BaseException:
        _remove_unreferenced(engine, store, subject_id, keys)
        raise


def _check_new_photos(connection: Connection, subject_id: str, spooled: list[SpooledPhoto]) -> int:
    """Refuses duplicates and too many photos; returns the first free position.

    One whose time has come and that comes again is as new: its row goes, the object is put again.
    """
    mine = photos.c.subject_id == subject_id
    again = sa.or_(
        photos.c.sha256.in_([photo.sha256 for photo in spooled]),
        photos.c.object_sha256.in_([photo.png_sha256 for photo in spooled]),
    )
    expired = sa.delete(photos).where(mine, again, sa.not_(kept(connection.dialect.name))).returning(photos.c.key)
    forget(connection, subject_id, connection.execute(expired).scalars().all())
    existing = connection.execute(photos_of_subject(connection, subject_id)).all()
    for photo in spooled:
        for row in existing:
            if row.sha256 == photo.sha256 or row.object_sha256 == photo.png_sha256:
                known = f"a photo that the subject has already{filename_suffix(row.filename)}"
                raise duplicate_photo(photo.number, photo.filename, known)
    count = len(existing)
    if count + len(spooled) > MAX_PHOTOS:
        raise FailedPreconditionError(
            "TOO_MANY_PHOTOS",
            f"the subject has {count} photos and may have {MAX_PHOTOS}; send at most {MAX_PHOTOS - count}",
        )
    last = connection.execute(sa.select(sa.func.max(photos.c.position)).where(mine)).scalar()
    return 0 if last is None else int(last) + 1


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
