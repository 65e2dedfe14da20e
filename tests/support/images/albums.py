"""Makes albums of plain coloured pictures, for tests of what the demo shows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image as Pictures

from headshots.client import (
    Acceptance,
    Adapter,
    Check,
    Guarantee,
    Image,
    JobState,
    LossPoint,
    PaintedImage,
    Quote,
    RemixChange,
    Shoot,
    ShootStage,
    Style,
    StyleConsistency,
    StyleRecipe,
    TeamFault,
    TeamMeasures,
    TeamPortrait,
    Training,
    TrainingOptions,
    Verdict,
)
from headshots.demo.results.album import Album, Missing, OneLook, Portrait, Remixed, Stage, Teammate

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


def shoot() -> Shoot:
    """A shoot of twelve portraits, eleven of them accepted, as it ended."""
    made = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    quote = Quote(0, made + timedelta(seconds=100), made + timedelta(seconds=130), 20, 13, 95.0, 4)
    return Shoot(
        name="subjects/s/shoots/o",
        state=JobState.SUCCEEDED,
        stage=ShootStage.ENDED,
        training="subjects/s/trainings/t",
        trains=True,
        gallery="subjects/s/galleries/g",
        pack="",
        styles=("styles/suit", "styles/coat", "styles/park"),
        style_shots=(4, 4, 4),
        asked=12,
        delivered=11,
        tries=14,
        max_tries=3,
        profile="profiles/profile-worthy",
        profile_version=1,
        guarantee=Guarantee.NOT_MET,
        training_step=20,
        training_total_steps=20,
        completed_shots=12,
        quote=quote,
        deadline=None,
        failure=None,
        status_message="",
        create_time=made,
        end_time=made + timedelta(seconds=90),
        event_number=9,
    )


def verdict(*failed: str) -> Verdict:
    """What a profile says of an image; refused where checks failed."""
    checks = tuple(Check(each, False, 0.25, 0.5, f"{each} says why") for each in failed)
    outcome = Acceptance.REFUSED if failed else Acceptance.ACCEPTED
    return Verdict(outcome, "profiles/profile-worthy", 1, "an-analyzer", checks)


def painted(
    style: str, seed: int, content: bytes, side: int = 32, likeness: float | None = None, rank: int = 0
) -> PaintedImage:
    """An image of a gallery and its file; accepted where it has a rank, else refused as blurry."""
    image = Image(
        name=f"subjects/s/galleries/g/images/{seed}",
        style=f"styles/{style}",
        prompt=f"photo of sks, {style}",
        seed=seed,
        width_px=side,
        height_px=side,
        content_type="image/png",
        size_bytes=1,
        sha256="",
        likeness=likeness,
        seconds=0.8,
        verdict=verdict() if rank else verdict("BLURRY"),
        rank=rank,
        tries=1 if rank else 3,
    )
    return PaintedImage(image, content)


def style(name: str) -> Style:
    """A style whose texts hold characters that HTML has to escape."""
    recipe = StyleRecipe(outfit=name, backdrop="wall", lighting="light", framing="headshot")
    return Style(f"styles/{name}", f"<{name}> & co", f'"{name}" before a wall', 1, recipe, True, False, None)


def portrait(style_name: str, seed: int, content: bytes, **more: Any) -> Portrait:
    """A portrait of the album; `more` as for `painted`."""
    return Portrait(painted(style_name, seed, content, **more), style(style_name))


def remixed(before: Portrait, **more: Any) -> Remixed:
    """A portrait and what became of its backdrop; `more` as for `painted`."""
    after = painted("suit", 99, picture((9, 9, 99)), **{"rank": 1, "likeness": 0.87, **more})
    return Remixed(before, after, RemixChange.BACKDROP, "city at night")


def one_look() -> OneLook:
    """A team of three: the second falls out, the third has no portrait."""
    faults: tuple[tuple[TeamFault, ...], ...] = ((), (TeamFault.LIGHT,))
    mates = [
        Teammate(
            name,
            painted("suit", number, picture((70, 70 * number, 7)), rank=1),
            TeamPortrait(
                f"subjects/{name}/galleries/g/images/0", "styles/suit", True, None, faults[number], 2 * number
            ),
        )
        for number, name in enumerate(("Ada", "Bo"))
    ]
    medians = TeamMeasures(0.45, 0.72, 0.1, (60.0, 0.0, -3.0))
    told = StyleConsistency("styles/suit", 2, medians, 0.004, 0.006, 0.21, 1.25, (mates[1].portrait.image,))  # type: ignore[union-attr]
    return OneLook("Navy suit", [*mates, Teammate("Cy", None, None, "TRAINING_KILLED: no memory")], told)


NO_REMIX = Missing("PORTRAITS_REFUSED", "every portrait was refused")
NO_TEAM = Missing("ONE_PERSON", "these photos are of one")


def album(person: str = "Ada", styles: Sequence[str] = ("suit", "coat", "park"), shots: int = 4) -> Album:
    """The album of a whole run; the last portrait is refused."""
    wanted = [(name, seed) for seed in range(shots) for name in styles]
    portraits = [
        portrait(name, seed, picture((40 * styles.index(name), 200, 60 * seed)), rank=(place + 1) % len(wanted))
        for place, (name, seed) in enumerate(wanted)
    ]
    return Album(
        person=person,
        foundation="tiny-portrait",
        library="the built-in styles for drawn people",
        selfies=[picture((250, 20 * number, 0), (48, 64), "JPEG") for number in range(6)],
        left_out=[],
        analyzer="",
        training=training(),
        shoot=shoot(),
        portraits=portraits,
        stages=STAGES,
        seconds_per_image=2.5,
        peak_rss_mb=2048.0,
        likeness=None,
        made_on="24 November 2026, a laptop",
        remix=NO_REMIX,
        team=NO_TEAM,
    )
