"""A mark is recorded once for each object, however often its picture is painted."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from headshots.database import read, write
from services.gateway.marks.rows import Mark, find_marks, record_mark

MARK_ID = "0123456789abcdef"


def test_a_picture_that_is_painted_twice_has_its_mark_once(engine: Engine) -> None:
    for key in ("a.png", "a.png", "a.webp"):
        with write(engine) as connection:
            record_mark(connection, MARK_ID, "acme", "s1", key)
    with read(engine) as connection:
        assert find_marks(connection, MARK_ID) == [Mark("acme", "s1", "a.png"), Mark("acme", "s1", "a.webp")]
