"""Ranks the images of a gallery and lists them, a page at a time. Blocking SQL; ranks are computed and kept nowhere."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.acceptance.ranking import Candidate, ranked
from headshots.acceptance.verdict import Acceptance
from headshots.database import database_now, read
from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.schema import MAX_RETENTION_SECONDS, SUCCEEDED, galleries, shots
from services.gateway.api.labels import Labelling
from services.gateway.api.names import gallery_name, style_name
from services.gateway.api.pages import Position, cut_page, decode_token, page_token_invalid
from services.gateway.galleries.images.rows import find_images
from services.gateway.galleries.models import Gallery, Image
from services.gateway.galleries.rows import find_gallery, get_gallery


@dataclass(frozen=True)
class ImageQuery:
    """Which images are listed, and in which order."""

    by_rank: bool = False
    """Accepted ones by rank, then the others by likeness, then those without one; else by number."""
    acceptance: str = ""
    """Only those with this outcome; empty: all."""
    styles: tuple[str, ...] = ()
    """Only those of these styles; empty: of all."""
    max_rank: int = 0
    """Only those of at most this rank; 0: all."""
    wanted: Labelling = field(default_factory=Labelling)
    """Only those that are labelled so."""

    def takes(self, image: Image) -> bool:
        """Whether an image is among those asked for."""
        outcome = image.judgement.verdict.acceptance if image.judgement is not None else ""
        return (
            self.acceptance in ("", outcome)
            and (not self.styles or image.style in self.styles)
            and (self.max_rank == 0 or 0 < image.rank <= self.max_rank)
            and self.wanted.selects(image.labelling)
        )

    def place(self, image: Image) -> tuple[float, float, float]:
        """Where an image stands in the order."""
        number = float(image.number)
        if not self.by_rank:
            return (0.0, 0.0, number)
        if image.rank:
            return (0.0, float(image.rank), number)
        return (2.0, 0.0, number) if image.likeness is None else (1.0, -image.likeness, number)

    def digest(self) -> str:
        """Tells page tokens of one query from those of others."""
        # Sorted, as labels come in no order.
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def ranked_gallery(engine: Engine, tenant_id: str, subject_id: str, gallery_id: str) -> Gallery:
    """`rows.get_gallery`, its images with their ranks."""
    gallery = get_gallery(engine, tenant_id, subject_id, gallery_id)
    return dataclasses.replace(gallery, images=tuple(with_ranks(gallery.images)))


def list_images(
    engine: Engine, tenant_id: str, subject_id: str, gallery_id: str, query: ImageQuery, size: int, token: str
) -> tuple[list[Image], str]:
    """A page of the images that exist, and the next token.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND.
        InvalidArgumentError: STYLE_UNKNOWN, PAGE_TOKEN_INVALID.
    """
    with read(engine) as connection:
        row = find_gallery(connection, tenant_id, subject_id, gallery_id)
        _check_styles(query.styles, [recipe["name"] for recipe in row.styles], gallery_name(subject_id, gallery_id))
        after = _read_token(token, query)
        images = with_ranks(find_images(connection, gallery_id))
    wanted = sorted((image for image in images if query.takes(image)), key=query.place)
    rest = [image for image in wanted if after is None or query.place(image) > after]
    return cut_page(rest, size, lambda image: _position(image, query))


def finished_numbers(connection: Connection, gallery_id: str) -> tuple[int, ...]:
    """Numbers of the shots that have ended with an image, whether or not it was erased since."""
    done = sa.and_(shots.c.gallery_id == gallery_id, shots.c.state == SUCCEEDED)
    return tuple(connection.execute(sa.select(shots.c.number).where(done).order_by(shots.c.number)).scalars())


def seconds_left(engine: Engine, gallery_id: str) -> int:
    """For how many seconds images of a gallery are kept from now on, at least 1; at most as long as any may be."""
    kept_until = sa.select(galleries.c.images_expire_at).where(galleries.c.id == gallery_id)
    with read(engine) as connection:
        expires_at = connection.execute(kept_until).scalar()
        left = MAX_RETENTION_SECONDS if expires_at is None else int(expires_at - database_now(connection))
    return max(1, left)


def with_ranks(images: Sequence[Image]) -> list[Image]:
    """The images in the order that they came in; accepted ones know their rank."""
    accepted = [at for at, image in enumerate(images) if _candidate(image) is not None]
    candidates = [candidate for image in images if (candidate := _candidate(image)) is not None]
    result = list(images)
    for rank, index in enumerate(ranked(candidates), start=1):
        at = accepted[index]
        result[at] = dataclasses.replace(images[at], rank=rank)
    return result


def _candidate(image: Image) -> Candidate | None:
    """None where the image is not accepted."""
    judged = image.judgement
    if judged is None or judged.verdict.acceptance is not Acceptance.ACCEPTED:
        return None
    # Nothing is accepted that was not measured.
    assert judged.view is not None
    assert judged.likeness is not None
    return Candidate(judged.likeness, judged.quality, image.style, judged.view)


def _check_styles(asked: Sequence[str], known: Sequence[str], gallery: str) -> None:
    violations = [
        FieldViolation(f"styles[{index}]", f"{gallery} has no {style_name(name)}")
        for index, name in enumerate(asked)
        if name not in known
    ]
    if violations:
        told = ", ".join(map(style_name, known))
        raise InvalidArgumentError(
            "STYLE_UNKNOWN", f"{violations[0].description}; it has {told}", violations=violations
        )


def _position(image: Image, query: ImageQuery) -> Position:
    return (query.digest(), *query.place(image))


def _read_token(token: str, query: ImageQuery) -> tuple[float, ...] | None:
    position = decode_token(token, (str, float, float, float))
    if position is None:
        return None
    digest, *place = position
    if digest != query.digest():
        raise page_token_invalid()
    return tuple(map(float, place))
