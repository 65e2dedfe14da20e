"""Source images and noise that the generator must refuse, through real gRPC."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from headshots.errors import (
    FailedPreconditionError,
    HeadshotsError,
    InvalidArgumentError,
    InvalidPhotoError,
    PermissionDeniedError,
)
from headshots.v1 import generator_pb2 as pb
from tests.support.generator.sources import SIZE, file_of, half_mask, noise, picture, source
from tests.support.generator.world import Generator, refused


def _stored(key: str, sha256: str = "ab" * 32) -> pb.Picture:
    return pb.Picture(stored=pb.StoredPicture(key=key, sha256=sha256))


EMPTY = np.zeros((SIZE, SIZE), np.uint8)
NAN = np.full((4, 8, 8), np.nan, "<f4").tobytes()


@pytest.mark.parametrize(
    ("request_fields", "kind", "reason", "field"),
    [
        ({"source": pb.Source(picture=pb.Picture(content=b"nonsense"))}, InvalidPhotoError, "PHOTO_UNDECODABLE",
         "source.picture"),
        ({"source": pb.Source(picture=pb.Picture(content=file_of(picture())[:-200]))}, InvalidPhotoError,
         "PHOTO_TRUNCATED", "source.picture"),
        ({"source": source(picture(4, 4))}, InvalidPhotoError, "PHOTO_TOO_SMALL", "source.picture"),
        ({"source": pb.Source(picture=pb.Picture(content=file_of(picture())), mask=pb.Picture(content=b"no"))},
         InvalidPhotoError, "PHOTO_UNDECODABLE", "source.mask"),
        ({"source": source(picture(), half_mask()[:32])}, InvalidArgumentError, "MASK_SIZE_MISMATCH", "source.mask"),
        ({"source": source(picture(), EMPTY)}, InvalidArgumentError, "MASK_EMPTY", "source.mask"),
        ({"source": source(picture(), repaint=0.1), "steps": 5}, InvalidArgumentError, "REPAINT_TOO_LITTLE",
         "source.repaint"),
        ({"noise": b"\0" * 4}, InvalidArgumentError, "NOISE_INVALID", "noise"),
        ({"noise": noise(1), "image_count": 2}, InvalidArgumentError, "NOISE_INVALID", "noise"),
        ({"noise": noise(1), "width_px": 32}, InvalidArgumentError, "NOISE_INVALID", "noise"),
        ({"noise": NAN}, InvalidArgumentError, "NOISE_INVALID", "noise"),
        ({"noise": noise(1), "seed": 5}, InvalidArgumentError, "NOISE_INVALID", "noise"),
        ({"source": pb.Source(picture=_stored("a//b"))}, PermissionDeniedError, "GRANT_TOO_NARROW",
         "source.picture.stored.key"),
        ({"source": pb.Source(picture=_stored("gone"))}, FailedPreconditionError, "PICTURE_NOT_FOUND", None),
        ({"source": pb.Source(picture=_stored("here"))}, FailedPreconditionError, "PICTURE_DIGEST_MISMATCH", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_what_cannot_be_painted_over_is_refused_with_the_reason(
    generator: Generator, request_fields: dict[str, Any], kind: type[HeadshotsError], reason: str, field: str | None
) -> None:
    await generator.store.put("here", file_of(picture()))
    error = await refused(generator, **request_fields)
    assert (type(error), error.reason) == (kind, reason)
    if field is not None:
        assert [violation.field for violation in error.violations] == [field]
    assert generator.metric("requests_waiting") == generator.metric("requests_running") == 0


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({"source": pb.Source()}, "source.picture"),
        ({"source": pb.Source(picture=pb.Picture())}, "source.picture.file"),
        ({"source": source(EMPTY, repaint=0.0)}, "source.repaint"),
        ({"source": source(EMPTY, repaint=1.5)}, "source.repaint"),
        ({"source": pb.Source(picture=_stored("here", "short"))}, "source.picture.stored.sha256"),
        ({"source": pb.Source(picture=pb.Picture(content=b"x" * (8 * 2**20 + 1)))}, "source.picture.content"),
        ({"noise": b"x" * (4 * 2**20 + 1)}, "noise"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_constraints_of_the_contract_hold(
    generator: Generator, request_fields: dict[str, Any], field: str
) -> None:
    error = await refused(generator, **request_fields)
    assert isinstance(error, InvalidArgumentError)
    assert field in {violation.field for violation in error.violations}


async def test_a_stored_picture_that_is_too_large_is_not_fetched(generator: Generator) -> None:
    data = b"\xff\xd8\xff" + b"\0" * (20 * 2**20)
    await generator.store.put("large", data)
    too_large = pb.Source(picture=_stored("large", hashlib.sha256(data).hexdigest()))
    error = await refused(generator, source=too_large)
    assert (type(error), error.reason) == (InvalidPhotoError, "PHOTO_TOO_LARGE")
