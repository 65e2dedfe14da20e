"""Kills a gateway in mid upload, again and again, erases the subject, and looks for what is left of its photos."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.faults.report import Say, Scale
from benchmarks.faults.residue import residue
from benchmarks.faults.world import client_of
from benchmarks.report import Measured
from headshots.client import AsyncHeadshots
from headshots.errors import HeadshotsError, NotFoundError, UnavailableError
from headshots.imaging import decode_photo
from tests.support.images.photo_files import encoded
from tests.support.live_platform import LivePlatform

_SIDE_PX = 600
_PHOTOS = 6
_ERASE_AGAIN_SECONDS = 0.5
_SETTLE_SECONDS = 3.0
"""What is still to be done after an erasure, and after a start, is done by then: `_ERASE_AGAIN_SECONDS` a round."""


@dataclass(frozen=True)
class _Kill:
    """When it came, as a share of an upload's time, and whose photos were under way."""

    share: float
    photos: list[bytes]


async def run(scale: Scale, seed: int, folder: Path, say: Say) -> Measured:
    """Kills at moments spread over the time of an upload, from its first byte to its answer."""
    rng = np.random.default_rng([seed, 0x5C])
    kills = [
        _Kill(float(number + rng.random()) / scale.kills, [_photo(rng) for _ in range(_PHOTOS)])
        for number in range(scale.kills)
    ]
    home, temporary = folder / "home", folder / "tmp"
    temporary.mkdir()
    environment = {
        # The services' temporary files, and none of anybody else.
        "TMPDIR": str(temporary),
        "HEADSHOTS_GATEWAY_ERASE_AGAIN_SECONDS": str(_ERASE_AGAIN_SECONDS),
    }
    with LivePlatform(home, folder, folder, environment, services=("gateway",)) as platform:
        async with client_of(platform, "acme") as client:
            seconds = await _undisturbed(client, [_photo(rng) for _ in range(_PHOTOS)])
            say(f"an upload takes {seconds:.2f} s; {len(kills)} of them are killed")
            cut = [await _kill_during(platform, client, kill, seconds) for kill in kills]
        await asyncio.sleep(_SETTLE_SECONDS)
        left = [_left_of(kill, home, temporary) for kill in kills]
    found = sum(sum(each.values()) for each in left)
    details = {
        "kills": [
            {
                "at": round(kill.share * seconds, 3),
                "cut_the_upload": was_cut,
                "left": files,
            }
            for kill, was_cut, files in zip(kills, cut, left, strict=True)
        ],
        "upload_seconds": seconds,
    }
    return Measured({"residue_after_killed_uploads_bytes": found}, {"uploads": details})


def _photo(rng: np.random.Generator) -> bytes:
    """A photo full of noise: no piece of it is in any other file by chance."""
    pixels_HWC = rng.integers(0, 256, (_SIDE_PX, _SIDE_PX, 3), dtype=np.uint8)
    return encoded(Image.fromarray(pixels_HWC), "JPEG", quality=90)


async def _undisturbed(client: AsyncHeadshots, photos: list[bytes]) -> float:
    """Seconds of an upload; the subject is erased again."""
    subject = await client.create_subject("undisturbed")
    begin = time.perf_counter()
    await client.upload_photos(subject, photos)
    seconds = time.perf_counter() - begin
    await client.delete_subject(subject)
    return seconds


async def _kill_during(platform: LivePlatform, client: AsyncHeadshots, kill: _Kill, seconds: float) -> bool:
    """Whether the upload was cut. In the end the gateway runs again, and the subject is erased."""
    subject = await client.create_subject("killed")
    upload = asyncio.create_task(client.upload_photos(subject, kill.photos))
    await asyncio.sleep(kill.share * seconds)
    platform.kill("gateway")
    try:
        await upload
        was_cut = False
    except HeadshotsError:
        was_cut = True
    platform.start("gateway")
    while True:
        with contextlib.suppress(UnavailableError):
            # The answer to the first call may have been lost with the connection.
            with contextlib.suppress(NotFoundError):
                await client.delete_subject(subject)
            return was_cut


def _left_of(kill: _Kill, *folders: Path) -> dict[str, int]:
    """Of the files as they were sent, and as they were to be stored; bytes by file."""
    stored = [decode_photo(photo).png for photo in kill.photos]
    return {_short(path): size for path, size in residue(folders, *kill.photos, *stored).items()}


def _short(path: Path) -> str:
    return "/".join(path.parts[-3:])
