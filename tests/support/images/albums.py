"""Makes albums of plain coloured pictures, for tests of what the demo shows."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image as Pictures

from headshots.client import Adapter, Image, JobState, LossPoint, PaintedImage, Style, Training, TrainingOptions
from headshots.demo.results.album import Album, Stage, StyleGroup

ADAPTER = Adapter("ab" * 32, "a/adapter.safetensors", "cd" * 32, 8, "sks", 1000, "", "a/manifest.json")
STAGES = (Stage("start", 4.0), Stage("upload", 0.5), Stage("train", 60.0), Stage("paint", 30.0))


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (32, 32), kind: str = "PNG") -> bytes:
    """An image file of one colour."""
    packed = io.BytesIO()
    Pictures.new("RGB", size, colour).save(packed, kind)
    return packed.getvalue()


def training(curve: Sequence[LossPoint] = (LossPoint(1, 0.9), LossPoint(10, 0.5), LossPoint(20, 0.45))) -> Training:
    """A training that succeeded."""
    return Training(
        name="subjects/s/trainings/t",
        state=JobState.SUCCEEDED,
        step=20,
        total_steps=20,
        loss=0.45,
        eta_seconds=None,
        queue_position=0,
        attempt=1,
        options=TrainingOptions(),
        adapter=ADAPTER,
        failure=None,
        create_time=None,
        start_time=None,
        end_time=None,
        curve=tuple(curve),
        photo_count=6,
        likeness=None,
        status_message="",
        event_number=1,
    )


def painted(style: str, seed: int, content: bytes, side: int = 32, likeness: float | None = None) -> PaintedImage:
    """An image of a gallery and its file."""
    name = f"subjects/s/galleries/g/images/{seed}"
    image = Image(
        name, f"styles/{style}", f"photo of sks, {style}", seed, side, side, "image/png", 1, "", likeness, 0.8
    )
    return PaintedImage(image, content)


def style(name: str) -> Style:
    """A style whose texts hold characters that HTML has to escape."""
    return Style(f"styles/{name}", f"<{name}> & co", f'"{name}" before a wall', 1, name, "wall", "light", "headshot")


def album(person: str = "Ada", styles: Sequence[str] = ("suit", "coat", "park"), shots: int = 4) -> Album:
    """The album of a whole run."""
    groups = [
        StyleGroup(
            style(name),
            [painted(name, seed, picture((40 * number, 200, 60 * seed))) for seed in range(shots)],
        )
        for number, name in enumerate(styles)
    ]
    return Album(
        person=person,
        foundation="tiny-portrait",
        selfies=[picture((250, 20 * number, 0), (48, 64), "JPEG") for number in range(6)],
        left_out=[],
        analyzer="",
        training=training(),
        groups=groups,
        stages=STAGES,
        seconds_per_image=2.5,
        peak_rss_mb=2048.0,
        likeness=None,
        made_on="24 November 2026, a laptop",
    )
