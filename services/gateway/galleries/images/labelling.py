"""Changes the labels and the external id of images. Blocking SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import forget_deleted, write
from headshots.schema import shots
from services.gateway.api.labels import LabellingChange
from services.gateway.galleries.models import Image
from services.gateway.galleries.rows import find_image
from services.gateway.tenants.ownership import find_subject


def label_image(
    engine: Engine, tenant_id: str, subject_id: str, gallery_id: str, number: int, change: LabellingChange
) -> Image:
    """Changes what is not None; the image as it is now.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        find_image(connection, tenant_id, subject_id, gallery_id, number)
        if change.columns:
            mine = sa.and_(shots.c.gallery_id == gallery_id, shots.c.number == number)
            connection.execute(sa.update(shots).where(mine).values(**change.columns))
        changed = find_image(connection, tenant_id, subject_id, gallery_id, number)
    if change.columns:
        forget_deleted(engine)
    return changed
