"""Measures a page of a list among many images against one among few."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.gateway.report import Scale
from benchmarks.gateway.world import LoadWorld, on_each_database, worst
from benchmarks.report import Measured
from headshots.database import open_database, write
from headshots.schema import galleries, shots
from headshots.v1 import galleries_pb2
from tests.support.gateway.caller import Caller

_SHOTS = 160
"""Of each gallery, as many as one may have."""
_IMAGES_A_PAGE, _GALLERIES_A_PAGE = 50, 5
_FEW = 100
"""So many times fewer images at first."""


def run_lists(scale: Scale) -> Measured:
    """ListImages of a gallery and ListGalleries of a subject that has them all: the median, over that among few."""

    async def measure(url: str, folder: Path) -> dict[str, float]:
        world = LoadWorld(folder, url, shot_seconds=0.0)
        async with world.open(), world.caller("acme") as caller:
            subject = await caller.trained_subject()
            gallery = await caller.gallery(subject, style_shots=[_SHOTS])
            await caller.finished_gallery(gallery)
            few, many = (-(-images // _SHOTS) for images in (scale.images // _FEW, scale.images))
            _multiply(url, gallery, 1, few)
            before = await _medians(caller, gallery, scale)
            _multiply(url, gallery, few, many)
            after = await _medians(caller, gallery, scale)
        ratios = {f"{name}_ratio": round(after[name] / before[name], 3) for name in before}
        return {"ratio": max(ratios.values()), **ratios, **{f"{name}_ms": round(after[name], 3) for name in after}}

    found = on_each_database(measure, scale.databases)
    return Measured({"list_100k_over_1k": worst(found, "ratio")}, {"lists": found})


async def _medians(caller: Caller, gallery: str, scale: Scale) -> dict[str, float]:
    """Milliseconds of each call."""
    requests: dict[str, Any] = {
        "ListImages": galleries_pb2.ListImagesRequest(parent=gallery, page_size=_IMAGES_A_PAGE),
        "ListGalleries": galleries_pb2.ListGalleriesRequest(
            parent=gallery.partition("/galleries/")[0], page_size=_GALLERIES_A_PAGE
        ),
    }
    calls = max(10, int(scale.seconds * 20))
    return {method: await _median_ms(caller, method, request, calls) for method, request in requests.items()}


async def _median_ms(caller: Caller, method: str, request: Any, calls: int) -> float:
    await caller(method, request)
    taken = []
    for _ in range(calls):
        begin = time.perf_counter()
        await caller(method, request)
        taken.append(1000 * (time.perf_counter() - begin))
    return statistics.median(taken)


def _multiply(url: str, gallery: str, begin: int, end: int) -> None:
    """Copies a finished gallery and its images under new ids; the database learns of it as by its own maintenance."""
    original = gallery.rpartition("/")[2]
    engine = open_database(url)
    with write(engine) as connection:
        for number in range(begin, end):
            copy = f"copy{number:012}"
            _copy(connection, galleries, galleries.c.id == original, id=sa.literal(copy))
            place = sa.func.substr(shots.c.id, len(original) + 1)
            _copy(connection, shots, shots.c.gallery_id == original, id=copy + place, gallery_id=sa.literal(copy))
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _copy(connection: sa.Connection, table: sa.Table, where: Any, **changed: Any) -> None:
    columns = [changed.get(column.name, column) for column in table.columns]
    connection.execute(sa.insert(table).from_select(table.columns.keys(), sa.select(*columns).where(where)))
