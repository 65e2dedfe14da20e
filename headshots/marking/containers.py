"""Finds the C2PA manifest store in an image file, and holds what is around it to what the library writes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What the library puts before each part of a box in a JPEG: JPEG XT's mark, and the number of the box.
_JPEG_MARK = b"JP\x02\x11"
_START_OF_SCAN, _APP11 = 0xDA, 0xEB


def manifest_store(data: bytes, media_type: str) -> bytes:
    """The store of a PNG, JPEG or WebP file, a JUMBF box.

    Raises:
        ValueError: it has none or several, or a byte of the file's structure is not as the library writes it.
    """
    try:
        stores = list(_READERS[media_type](data))
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError("the file is cut off") from error
    if len(stores) != 1:
        raise ValueError(f"{len(stores)} manifest stores")
    return stores[0]


def _png_stores(data: bytes) -> Iterator[bytes]:
    """Every chunk's checksum fits, and nothing follows the last one."""
    if not data.startswith(_PNG_SIGNATURE):
        raise ValueError("no PNG")
    at, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(kind + content) != checksum:
            raise ValueError("a chunk's checksum does not fit")
        at += 12 + length
        if kind == b"caBX":
            yield content
    if at != len(data):
        raise ValueError("bytes after the last chunk")


def _jpeg_stores(data: bytes) -> Iterator[bytes]:
    """A box that is longer than a segment goes on in the next, which begins with the box's first eight bytes again."""
    at, store, number = 2, b"", 0
    while (marker := data[at + 1]) != _START_OF_SCAN:
        (length,) = struct.unpack_from(">H", data, at + 2)
        content = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker != _APP11:
            continue
        number += 1
        mark, count, begin = content[:4], content[4:8], content[8:16]
        if mark != _JPEG_MARK or count != struct.pack(">I", number) or begin != (store or content[8:])[:8]:
            raise ValueError("a part of the manifest store is not the next one")
        store += content[16:] if store else content[8:]
    if store:
        yield store


def _webp_stores(data: bytes) -> Iterator[bytes]:
    """Chunks fill the file, each padded to an even length."""
    mark, size, form = struct.unpack_from("<4sI4s", data)
    if (mark, form) != (b"RIFF", b"WEBP") or size + 8 != len(data):
        raise ValueError("no WebP of this length")
    at = 12
    while at < len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        content, padding = data[at + 8 : at + 8 + length], data[at + 8 + length : at + 8 + length + length % 2]
        if len(content) != length or padding != b"\0" * (length % 2):
            raise ValueError("a chunk's length or padding does not fit")
        at += 8 + length + length % 2
        if kind == b"C2PA":
            yield content


_READERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "image/png": _png_stores,
    "image/jpeg": _jpeg_stores,
    "image/webp": _webp_stores,
}
