"""Makes 200 photo files, from ordinary to hostile, each with the answers that an upload of it may have.

Nothing is downloaded: all are drawn and packed from a seed. Files are made when asked for, as some have 20 MB.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from tests.support.images import costly, hostile
from tests.support.images.photo_files import encoded, linear_rgb_profile, png_header

ACCEPTED = "accepted"
_DAMAGED = frozenset({"PHOTO_TRUNCATED", "PHOTO_UNDECODABLE"})
_REFUSALS = ("ANIMATED", "TOO_COSTLY", "TOO_MANY_PIXELS", "TOO_NARROW", "TOO_SMALL", "UNSUPPORTED_FORMAT")
_ANY = _DAMAGED | {ACCEPTED, *(f"PHOTO_{reason}" for reason in _REFUSALS)}
_WEBP: dict[str, dict[str, Any]] = {"lossy": {}, "lossless": {"lossless": True}, "exact": {"exact": True}}


@dataclass(frozen=True)
class Sample:
    """A file, made by `make`; `answers` are the reasons that its upload may be refused with, and `ACCEPTED`."""

    name: str
    make: Callable[[], bytes]
    answers: frozenset[str]
    heavy: bool = False
    """Whether it takes long or much memory to make, or would to decode."""


def corpus(seed: int, size: int) -> list[Sample]:
    """The first `size` files of the seed's order; damaged files make up the number that the kinds leave open."""
    files = [*_ordinary(seed), *_sides(), *_structures(), *_animations(), *_no_photos(seed), *_cut(seed), *_large(seed)]
    files += _flipped(seed, 200 - len(files))
    if size < len(files):
        files = random.Random(seed).sample(files, size)
    assert len({each.name for each in files}) == len(files)
    return files


def _sample(name: str, make: Callable[[], bytes], *answers: str, heavy: bool = False) -> Sample:
    return Sample(name, make, frozenset(answers or (ACCEPTED,)), heavy)


def _ordinary(seed: int) -> Iterator[Sample]:
    shown = hostile.shown(seed)
    for mode in ("RGB", "L", "CMYK"):
        for progressive in (False, True):
            for size in ((640, 480), (1200, 1600)):
                make = partial(hostile.shown_jpeg, seed, mode, size, progressive=progressive)
                yield _sample(f"{mode}-{'progressive' if progressive else 'baseline'}-{size[0]}.jpg", make)
    for way in range(3):
        yield _sample(f"subsampling-{way}.jpg", partial(hostile.shown_jpeg, seed, "RGB", (640, 480), subsampling=way))
    for turn in range(1, 9):
        yield _sample(f"orientation-{turn}.jpg", partial(hostile.turned, shown, turn))
    for colour in (0, 2, 4, 6):
        for depth in (8, 16):
            make = partial(costly.png, 640, 480, depth=depth, colour=colour)
            yield _sample(f"colour-{colour}-{depth}.png", make)
    for mode in ("P", "1", "LA", "RGBA"):
        yield _sample(f"mode-{mode}.png", partial(hostile.shown_png, seed, mode))
    yield _sample("interlaced.png", lambda: hostile.interlaced(700, 500))
    for name, options in _WEBP.items():
        yield _sample(f"{name}.webp", partial(hostile.shown_webp, seed, **options))
    for quality in (40, 90):
        yield _sample(f"quality-{quality}.heic", partial(hostile.heic, shown, quality))
    profile = linear_rgb_profile()
    for kind in ("JPEG", "PNG", "WEBP"):
        make = partial(encoded, shown, kind, icc_profile=profile)
        yield _sample(f"linear-profile.{kind.lower()}", make)
    yield _sample("is-a-png.jpg", partial(hostile.shown_png, seed, "RGB"))
    yield _sample("with-a-zip-behind.jpg", lambda: hostile.shown_jpeg(seed, "RGB", (640, 480)) + hostile.archive())
    yield _sample("with-a-zip-behind.png", lambda: hostile.shown_png(seed, "RGB") + hostile.archive())


def _sides() -> Iterator[Sample]:
    """Pictures that are too large, too small, too narrow, or say so."""
    many, narrow, small = "PHOTO_TOO_MANY_PIXELS", "PHOTO_TOO_NARROW", "PHOTO_TOO_SMALL"
    for width, height, answer in (
        (8001, 8000, many),
        (65_535, 65_535, many),
        (2**31 - 1, 2**31 - 1, many),
        (64, 1_000_000, narrow),
        (1_000_000, 64, narrow),
        (63, 63, small),
        (1, 1, small),
        (64, 257, narrow),
        (8000, 1999, narrow),
    ):
        # Whatever else is wrong with a header alone, its size is told first.
        yield _sample(f"header-{width}x{height}.png", partial(png_header, width, height), answer)
    yield _sample("header-0x0.png", lambda: png_header(0, 0), small, *_DAMAGED)
    for width, height, answer in ((64, 64, ACCEPTED), (64, 256, ACCEPTED), (63, 64, small), (65, 261, narrow)):
        yield _sample(f"real-{width}x{height}.png", partial(costly.png, width, height), answer)
    for width, height in ((8000, 8000), (4000, 3000)):
        for progressive in (False, True):
            name = f"claims-{width}-{'progressive' if progressive else 'baseline'}.jpg"
            make = partial(costly.resized, costly.jpeg(progressive=progressive), width, height)
            yield _sample(name, make, "PHOTO_TOO_COSTLY", *_DAMAGED, heavy=width == 8000)
    yield _sample("claims-65535.jpg", lambda: costly.resized(costly.jpeg(), 65_535, 65_535), many)
    yield _sample("claims-16384.webp", lambda: hostile.webp_canvas(16_384, 16_384), many)
    yield _sample("cut-after-400-rows.png", lambda: costly.png(640, 480, rows=400), "PHOTO_TRUNCATED")
    yield _sample("cut-after-2-rows.png", lambda: costly.png(4000, 4000, rows=2), "PHOTO_TRUNCATED")


def _structures() -> Iterator[Sample]:
    """Small pictures in files that cost a parser much."""
    cost = ("PHOTO_TOO_COSTLY",)
    plain, waves = costly.jpeg(), costly.jpeg(progressive=True)
    for count in (101, 1000, 20_000):
        yield _sample(f"scans-{count}.jpg", partial(costly.with_scans, waves, count), *cost, heavy=True)
    for count in (60, 90):
        large = costly.resized(waves, 8000, 8000)
        yield _sample(f"scans-{count}-of-64mp.jpg", partial(costly.with_scans, large, count), *cost)
    for size in (100_000, 8_000_000, 19_000_000):
        yield _sample(f"padding-{size}.jpg", partial(costly.with_padding, plain, size), *cost, heavy=True)
    for count, bytes_each in ((1500, 0), (300, 65_000), (4_000_000, 0)):
        body = b"Exif\x00\x00" + bytes(bytes_each - 6) if bytes_each else b""
        make = partial(costly.with_segments, plain, count, body)
        yield _sample(f"segments-{count}x{bytes_each}.jpg", make, *cost, heavy=True)
    for count in (1200, 100_000, 1_000_000):
        make = partial(_png_with, costly.chunk(b"tEXt", b"a\x00b"), count)
        yield _sample(f"texts-{count}.png", make, *cost, heavy=True)
    for count in (30_000, 1_000_000):
        make = partial(_png_with, costly.chunk(b"IDAT", b""), count)
        yield _sample(f"empty-data-{count}.png", make, *cost, heavy=True)
    for kind in ("png", "webp"):
        make = partial(hostile.with_rationals, kind, 19_000_000)
        yield _sample(f"exif-rationals.{kind}", make, *cost, heavy=True)
    yield _sample("exif-rationals-small.jpg", lambda: hostile.with_rationals("jpg", 60_000), ACCEPTED)
    for chunk in ("iCCP", "zTXt", "iTXt"):
        make = partial(hostile.png_with_bomb, chunk.encode(), 400_000_000)
        yield _sample(f"bomb-{chunk}.png", make, ACCEPTED, "PHOTO_TOO_COSTLY", "PHOTO_UNDECODABLE", heavy=True)
    yield _sample("profile-16mb.jpg", lambda: hostile.jpeg_with_profile(16_000_000), *cost, heavy=True)
    yield _sample("chunks-1000000.webp", lambda: hostile.webp_with_chunks(1_000_000), *_ANY, heavy=True)
    yield _sample("comments-250.jpg", lambda: hostile.with_comments(plain, 250), ACCEPTED, heavy=True)


def _animations() -> Iterator[Sample]:
    for count in (1, 3):
        yield _sample(f"frames-{count}.gif", partial(hostile.frames, "GIF", count), "PHOTO_UNSUPPORTED_FORMAT")
    for kind in ("PNG", "WEBP"):
        for count in (2, 200):
            make = partial(hostile.frames, kind, count)
            yield _sample(f"frames-{count}.{kind.lower()}", make, "PHOTO_ANIMATED")


def _no_photos(seed: int) -> Iterator[Sample]:
    """Other formats, and what is no picture at all."""
    for kind in ("BMP", "TIFF", "ICO", "JPEG2000"):
        make = partial(encoded, hostile.shown(seed, size=(128, 128)), kind)
        yield _sample(f"picture.{kind.lower()}", make, "PHOTO_UNSUPPORTED_FORMAT")
    for name, head in hostile.HEADS.items():
        yield _sample(f"head-of-{name}", partial(bytes, head + bytes(4096)), "PHOTO_UNSUPPORTED_FORMAT")
    noise = random.Random(seed).randbytes
    for name, data in {
        "hello.txt": b"I am no photo.",
        "archive.zip": hostile.archive(),
        "page.html": b"<!doctype html><img src=x onerror=alert(1)>" * 50,
        "zeros.bin": bytes(1_000_000),
        "ones.bin": b"\xff" * 1_000_000,
        "one-byte.jpg": b"\xff",
        "noise.bin": b"\x01" + noise(1_000_000),
    }.items():
        yield _sample(name, partial(bytes, data), "PHOTO_UNDECODABLE")
    for name, head in hostile.SIGNATURES.items():
        yield _sample(f"signature.{name}", partial(bytes, head), *_DAMAGED)
        yield _sample(f"signature-and-noise.{name}", partial(bytes, head + noise(500_000)), *_ANY)
    yield _sample("empty.jpg", bytes, "PHOTO_UNDECODABLE")
    yield _sample("above-20-mib.jpg", lambda: b"\xff\xd8\xff" + bytes(20 * 2**20), "PHOTO_TOO_LARGE")


def _cut(seed: int) -> Iterator[Sample]:
    for name, data in _whole(seed).items():
        for share in (0.02, 0.3, 0.6, 0.9, 0.99):
            end = int(share * len(data))
            yield _sample(f"cut-at-{share}.{name}", partial(bytes, data[:end]), *_DAMAGED)


def _flipped(seed: int, count: int) -> Iterator[Sample]:
    """Files with a few wrong bytes anywhere, which a decoder may notice or not."""
    whole = _whole(seed)
    for number in range(count):
        chance = random.Random(f"{seed}-{number}")
        name = chance.choice(sorted(whole))
        data = bytearray(whole[name])
        for _ in range(chance.choice((1, 4, 32))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        yield _sample(f"wrong-bytes-{number}.{name}", partial(bytes, data), *_ANY)


def _large(seed: int) -> Iterator[Sample]:
    """What has, or claims to have, up to 64 megapixels."""
    whole_or_costly = ("cmyk", "full_colour", "progressive", "scans", "webp")
    for name in ("grey16", "rgb16", "rgba", "baseline", *whole_or_costly, "padding", "texts", "exif"):
        answers = [ACCEPTED] if name in ("grey16", "rgb16", "rgba", "baseline") else ["PHOTO_TOO_COSTLY"]
        answers += [ACCEPTED] if name in whole_or_costly else []
        yield _sample(f"64mp-{name}", partial(_worst_of, seed, name), *answers, heavy=True)
    for progressive in (False, True):
        name = f"48mp-{'progressive' if progressive else 'baseline'}.jpg"
        yield _sample(name, partial(hostile.shown_jpeg, seed, "RGB", (8000, 6000), progressive=progressive), heavy=True)
    yield _sample("12mp-noise.jpg", lambda: encoded(costly.noise(4000, 3000, seed), "JPEG", quality=85), heavy=True)
    yield _sample("5mp-noise.png", lambda: encoded(costly.noise(2500, 2000, seed), "PNG"), heavy=True)
    yield _sample("36mp-interlaced.png", lambda: hostile.interlaced(6000, 6000), heavy=True)
    for mode in ("P", "1"):
        yield _sample(f"64mp-{mode}.png", partial(hostile.flat, mode), heavy=True)
    yield _sample("12mp.heic", lambda: hostile.heic(hostile.shown(seed, size=(4000, 3000)), 60), heavy=True)
    yield _sample(
        "48mp.heic",
        lambda: hostile.heic(hostile.shown(seed, size=(8000, 6000)), 40),
        ACCEPTED,
        "PHOTO_TOO_COSTLY",
        heavy=True,
    )
    yield _sample("12mp.webp", lambda: encoded(hostile.shown(seed, size=(4000, 3000)), "WEBP", method=0), heavy=True)


@cache
def _worst(seed: int) -> dict[str, bytes]:
    return costly.worst(seed)


def _worst_of(seed: int, name: str) -> bytes:
    return _worst(seed)[name]


def _png_with(extra: bytes, count: int) -> bytes:
    return costly.png(64, 64, extra=extra * count)


@cache
def _whole(seed: int) -> dict[str, bytes]:
    shown = hostile.shown(seed)
    return {
        "jpg": encoded(shown, "JPEG"),
        "waves.jpg": encoded(shown, "JPEG", progressive=True),
        "png": encoded(shown, "PNG"),
        "webp": encoded(shown, "WEBP"),
        "heic": hostile.heic(shown, 60),
    }
