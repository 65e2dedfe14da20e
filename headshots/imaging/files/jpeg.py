"""Reads how a JPEG file is built, in one pass over its markers and without decoding (ITU-T T.81, annex B).

The walk is linear in the file's size and ends at the first picture's end: what lies behind is never decoded.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from PIL import JpegImagePlugin

from headshots.errors import InvalidPhotoError
from headshots.imaging.files.refusals import too_costly, truncated

MAX_SEGMENTS = 1000
"""Segments of the header; a phone writes some tens, and 320 hold 20 MiB."""
MAX_SCANS = 100
"""Passes over the picture; an ordinary progressive JPEG has about ten."""
MAX_SCAN_BLOCKS = 64_000_000
"""Blocks of 8x8 samples that all passes visit, 25 ns each: ten passes over 64 megapixels are a quarter of it."""
MAX_JUNK_BYTES = 64 * 1024
"""Bytes between segments, which Pillow reads one by one."""
MAX_EXIF_BYTES = 256 * 1024

# Coded data without markers, for a few hundred blocks whatever their codes are.
_MORE_DATA = bytes(range(1, 255)) * 64
# A marker that is neither a stuffed FF, a fill byte, nor one of the restart markers within a scan. Of fixed length, so
# that the search is linear in whatever it is given.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_SOS, _EOI, _APP1, _DRI = 0xDA, 0xD9, 0xE1, 0xDD
_ALONE = (0x01, 0xD8)
# Baseline, extended and progressive Huffman; the others are lossless, hierarchical or arithmetic.
_FRAMES = (0xC0, 0xC1, 0xC2)
_OTHER_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_PROGRESSIVE = 0xC2


@dataclass(frozen=True)
class _Frame:
    """The picture's frame: sampling factors (h, v) by component id."""

    width: int
    height: int
    progressive: bool
    sampling: dict[int, tuple[int, int]]

    def units(self, components: list[int]) -> int:
        """Minimum coded units of a scan of these components: a block, or the blocks of all where there are several."""
        h_max = max(h for h, _ in self.sampling.values())
        v_max = max(v for _, v in self.sampling.values())
        if len(components) == 1:
            h, v = self.sampling[components[0]]
            return _parts(_parts(self.width * h, h_max), 8) * _parts(_parts(self.height * v, v_max), 8)
        return _parts(self.width, 8 * h_max) * _parts(self.height, 8 * v_max)

    def blocks(self, components: list[int]) -> int:
        """Blocks of 8x8 samples in a scan of these components."""
        if len(components) == 1:
            return self.units(components)
        return self.units(components) * sum(h * v for h, v in (self.sampling[each] for each in components))

    @property
    def coefficient_bytes(self) -> int:
        """What a decoder keeps of a picture that comes in several scans: 2 bytes a coefficient."""
        return 2 * 64 * self.blocks(list(self.sampling))


@dataclass
class JpegOutline:
    """What a JPEG's markers tell. Without a frame, or with one that is broken, the zeros of an empty file."""

    scans: int = 0
    scan_blocks: int = 0
    coefficient_bytes: int = 0
    """Of a picture whose coefficients are all kept until its last scan, as in a progressive one; else 0."""
    cut: bool = False
    """A scan is too short for its blocks, or has fewer restart markers than they need."""
    restart_interval: int = 0
    """Units between two restart markers; 0: there are none."""
    data_end: int = 0
    """Where the coded data of a picture in one scan ends; 0 for one in several."""

    def check(self) -> None:
        """Refuses a picture with too many passes over its blocks, or of which the file cannot hold all.

        Raises:
            InvalidPhotoError: PHOTO_TOO_COSTLY, PHOTO_TRUNCATED.
        """
        if self.scan_blocks > MAX_SCAN_BLOCKS:
            raise too_costly(f"the JPEG file goes over its picture in {self.scans} scans")
        if self.cut:
            raise truncated("JPEG")


def read_jpeg(data: bytes) -> JpegOutline:
    """Walks the markers of the first picture in `data`.

    Raises:
        InvalidPhotoError: PHOTO_TOO_COSTLY, or PHOTO_UNSUPPORTED_FORMAT where the picture is not Huffman coded.
    """
    outline, frame = JpegOutline(), None
    at, segments, junk, exif = 2, 0, 0, 0
    while (found := _MARKER.search(data, at)) is not None:
        code, body = data[found.end() - 1], found.end()
        junk += found.start() - at
        if junk > MAX_JUNK_BYTES:
            raise too_costly(f"the JPEG file has {junk} bytes between its segments")
        if code == _EOI:
            break
        length = 0 if code in _ALONE else int.from_bytes(data[body : body + 2], "big")
        segments += 1
        if segments > MAX_SEGMENTS + outline.scans:
            raise too_costly(f"the JPEG file has more than {MAX_SEGMENTS} segments")
        at = body + length
        if code == _APP1 and data[body + 2 : body + 6] == b"Exif":
            exif += length
            check_exif(exif)
        elif code in _OTHER_FRAMES:
            raise InvalidPhotoError(
                "PHOTO_UNSUPPORTED_FORMAT",
                "the JPEG file is arithmetic coded, lossless or hierarchical; save it as an ordinary JPEG",
            )
        elif code == _DRI:
            outline.restart_interval = int.from_bytes(data[body + 2 : body + 4], "big")
        elif code in _FRAMES:
            frame = _frame(code, data[body + 2 : at])
        elif code == _SOS:
            end = _scan_end(data, at)
            if frame is not None:
                _add_scan(outline, frame, data[body + 2 : at], data[at:end])
                outline.data_end = 0 if outline.coefficient_bytes else end
            at = end
    return outline


def holds_blocks(data: bytes, data_end: int) -> bool:
    """Whether the coded data that ends at `data_end` is that of the whole picture, of one scan.

    A decoder that runs out of data paints the blocks that are left in the colour of the last one, and reads nothing
    once it has them all. So more data changes the picture if and only if there was too little of it.
    """
    return _eighth(data) == _eighth(data[:data_end] + _MORE_DATA + data[data_end:])


def _eighth(data: bytes) -> bytes:
    """The pixels of the JPEG decoded to an eighth of its sides, which is a pixel a block."""
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    image.draft(None, (max(image.width // 8, 1), max(image.height // 8, 1)))
    return image.tobytes()


def check_exif(size: int) -> None:
    """Refuses more EXIF than any camera writes: each of its entries may point at all of it."""
    if size > MAX_EXIF_BYTES:
        raise too_costly(f"the photo's EXIF has {size} bytes, {MAX_EXIF_BYTES} are allowed")


def _frame(code: int, body: bytes) -> _Frame | None:
    """None where it is broken, which the decoder will say."""
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        return None
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    parts = [body[at : at + 3] for at in range(6, 6 + 3 * body[5], 3)]
    sampling = {part[0]: (part[1] >> 4, part[1] & 15) for part in parts}
    sound = sampling and all(1 <= h <= 4 and 1 <= v <= 4 for h, v in sampling.values())
    return _Frame(width, height, code == _PROGRESSIVE, sampling) if sound else None


def _scan_end(data: bytes, at: int) -> int:
    """Where the scan's coded data ends: at the next marker or with the file."""
    found = _MARKER.search(data, at)
    return len(data) if found is None else found.start()


def _add_scan(outline: JpegOutline, frame: _Frame, body: bytes, coded: bytes) -> None:
    """Counts a scan with this coded data."""
    count = body[0] if body else 0
    components = [body[at] for at in range(1, 1 + 2 * count, 2) if at < len(body)]
    if not components or any(each not in frame.sampling for each in components):
        return
    blocks = frame.blocks(components)
    outline.scans += 1
    outline.scan_blocks += blocks
    if frame.progressive or len(components) < len(frame.sampling):
        outline.coefficient_bytes = frame.coefficient_bytes
    if outline.scans > MAX_SCANS:
        raise too_costly(f"the JPEG file has more than {MAX_SCANS} scans")
    # The shortest code has a bit: one for a block's mean, another for the end of the block where it has one.
    bits = blocks if frame.progressive else 2 * blocks
    has_means = len(body) > 1 + 2 * count and body[1 + 2 * count] == 0
    outline.cut = outline.cut or (has_means and 8 * len(coded) < bits)
    if outline.restart_interval:
        intervals = _parts(frame.units(components), outline.restart_interval)
        outline.cut = outline.cut or len(_RESTART.findall(coded)) < intervals - 1


def _parts(whole: int, size: int) -> int:
    return -(-whole // size)
