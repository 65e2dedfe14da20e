"""Checks that a finished gallery has each of its shots once."""

from __future__ import annotations

import hashlib

from headshots import schema
from headshots.v1 import galleries_pb2, jobs_pb2
from tests.support.gateway.fake_generator import image_of
from tests.support.gateway.world import World


def assert_each_shot_once(world: World, gallery: galleries_pb2.Gallery) -> None:
    """Every shot succeeded, is recorded once, and its image is the one that its prompt and seed give."""
    assert gallery.state == jobs_pb2.JOB_STATE_SUCCEEDED
    assert gallery.completed_shots == gallery.total_shots == len(gallery.images)
    assert [image.name.rsplit("/", 1)[1] for image in gallery.images] == [str(n) for n in range(gallery.total_shots)]
    rows = world.rows(schema.shots)
    assert [row.state for row in rows] == [schema.SUCCEEDED] * gallery.total_shots
    by_work = {(request.prompt, request.seed): request for request in world.generator.requests}
    for image in gallery.images:
        content = image_of(by_work[image.prompt, image.seed])
        assert image.sha256 == hashlib.sha256(content).hexdigest()
        assert image.size_bytes == len(content)
