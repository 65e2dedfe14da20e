"""Writes `report.json`, which tells scripts about a run."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from headshots.client import Acceptance, Shoot
from headshots.demo.results.album import Album, LeftOut, Missing, OneLook, Remixed, Stage

NOT_MEASURED = "not measured: no face analyzer judged the portraits"
NOT_REACHED = "not reached"
NO_FACE = "not measured: the analyzer found no face in some of the portraits"


@dataclass(frozen=True)
class Report:
    """A run. Where `ok` is false, `error` says why, and what was not reached is null or 0."""

    ok: bool
    error: str | None
    foundation: str
    """Name of the foundation's folder."""
    person: str
    photos: int
    """Those that were uploaded for the training."""
    left_out: dict[str, str]
    """By file name: why a photo was not used."""
    train_seconds: float | None
    images: int
    seconds_per_image: float | None
    """Of the gallery's wall time; shots are painted together."""
    total_seconds: float
    """From the command's start to its end."""
    peak_rss_mb: float
    """Largest sum of the resident memory of all processes of the run, in MiB."""
    accepted: int
    """Portraits that the acceptance profile accepts."""
    tries: int
    """Seeds that were tried, of all portraits."""
    guarantee: str | None
    """MET, NOT_MET or NOT_MEASURED."""
    shoot_seconds: float | None
    """From the order to its end, as the gateway saw it."""
    quoted_seconds: float | None
    """What half of such shoots were expected to take; null: nothing was measured before."""
    likeness: float | None
    """Mean over the portraits, or as the training judged it on photos held out; null: not measured."""
    likeness_reason: str | None
    engine_cached: bool
    """Whether the engine package was there from an earlier run."""
    remix: dict[str, object] | None
    """`change`, `words`, `accepted` and `likeness` of the best portrait's remix; null: there is none."""
    remix_reason: str | None
    """Why there is no remix."""
    team: dict[str, object] | None
    """Counts of `members`, of their `portraits`, of those `accepted` and of the `outliers`, and how far the portraits
    are apart; null: there is none."""
    team_reason: str | None
    """Why there is no team."""
    cpus: int = field(default_factory=lambda: os.cpu_count() or 0)
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds by stage."""

    def write(self, path: Path) -> None:
        """Write it as indented JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def success(album: Album, *, total_seconds: float, engine_cached: bool) -> Report:
    """The report of a run that came to its end."""
    return Report(
        ok=True,
        error=None,
        foundation=album.foundation,
        person=album.person,
        photos=len(album.selfies),
        left_out={each.filename: each.reason for each in album.left_out},
        train_seconds=round(album.train_seconds, 2),
        images=album.image_count,
        seconds_per_image=round(album.seconds_per_image, 3),
        total_seconds=round(total_seconds, 2),
        peak_rss_mb=round(album.peak_rss_mb, 1),
        accepted=album.shoot.delivered,
        tries=album.shoot.tries,
        guarantee=album.shoot.guarantee,
        shoot_seconds=_since_order(album.shoot, album.shoot.end_time),
        quoted_seconds=_since_order(album.shoot, album.shoot.quote.expected_finish_time),
        likeness=album.likeness,
        likeness_reason=_why_not_measured(album),
        engine_cached=engine_cached,
        remix=None if isinstance(album.remix, Missing) else _remix(album.remix),
        remix_reason=str(album.remix) if isinstance(album.remix, Missing) else None,
        team=None if isinstance(album.team, Missing) else _team(album.team),
        team_reason=str(album.team) if isinstance(album.team, Missing) else None,
        stages=_by_name(album.stages),
    )


def failure(
    error: str,
    *,
    foundation: str,
    person: str,
    stages: Sequence[Stage],
    total_seconds: float,
    peak_rss_mb: float,
    photos: int = 0,
    left_out: Sequence[LeftOut] = (),
) -> Report:
    """The report of a run that broke off."""
    return Report(
        ok=False,
        error=error,
        foundation=foundation,
        person=person,
        photos=photos,
        left_out={each.filename: each.reason for each in left_out},
        train_seconds=None,
        images=0,
        seconds_per_image=None,
        total_seconds=round(total_seconds, 2),
        peak_rss_mb=round(peak_rss_mb, 1),
        accepted=0,
        tries=0,
        guarantee=None,
        shoot_seconds=None,
        quoted_seconds=None,
        likeness=None,
        likeness_reason=NOT_MEASURED,
        engine_cached=False,
        remix=None,
        remix_reason=NOT_REACHED,
        team=None,
        team_reason=NOT_REACHED,
        stages=_by_name(stages),
    )


def _remix(remix: Remixed) -> dict[str, object]:
    image = remix.after.image
    accepted = image.verdict is not None and image.verdict.acceptance is Acceptance.ACCEPTED
    return {"change": remix.change.value, "words": remix.words, "accepted": accepted, "likeness": image.likeness}


def _team(team: OneLook) -> dict[str, object]:
    portraits = [each.portrait for each in team.members if each.portrait is not None]
    told = team.consistency
    return {
        "members": len(team.members),
        "portraits": len(portraits),
        "accepted": sum(each.accepted for each in portraits),
        "outliers": sum(bool(each.faults) for each in portraits),
        "repaints": sum(each.repaints for each in portraits),
        "eye_line_spread": told.eye_line_spread if told is not None else None,
        "head_height_spread": told.head_height_spread if told is not None else None,
        "backdrop_delta_e": told.backdrop_delta_e if told is not None else None,
    }


def _since_order(shoot: Shoot, moment: datetime | None) -> float | None:
    if moment is None or shoot.create_time is None:
        return None
    return round((moment - shoot.create_time).total_seconds(), 2)


def _why_not_measured(album: Album) -> str | None:
    if album.likeness is not None:
        return None
    return NO_FACE if album.analyzer else NOT_MEASURED


def _by_name(stages: Sequence[Stage]) -> dict[str, float]:
    return {stage.name: round(stage.seconds, 2) for stage in stages}
