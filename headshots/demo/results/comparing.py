"""Puts a remix and a team on the page: their files, what is said beside them, and why there may be none."""

from __future__ import annotations

from collections.abc import Mapping

from headshots.client import Acceptance, Image, StyleConsistency, TeamFault
from headshots.client.saving import suffix_of
from headshots.console.teams.showing import fault_words
from headshots.console.verdicts import reason
from headshots.demo.results.album import Album, Missing, OneLook, Remixed, Teammate
from headshots.pages.models import Absent, BeforeAfter, Measure, Member, Picture, TeamRow
from headshots.pages.words import title_of

REMIX, TEAM = "remix", "team"
"""Folders within that of the portraits."""


def files(album: Album) -> Mapping[str, bytes]:
    """The pictures beside those of the shoot, by their paths within the folder of the portraits."""
    found: dict[str, bytes] = {}
    if isinstance(album.remix, Remixed):
        found[_remix_file(album.remix)] = album.remix.after.content
    if isinstance(album.team, OneLook):
        found |= {
            _team_file(each, number): each.painted.content
            for number, each in enumerate(album.team.members, start=1)
            if each.painted is not None
        }
    return found


def remix(made: Remixed | Missing, person: str, folder: str) -> BeforeAfter | Absent:
    """The remix of the page; `folder`: of the portraits, seen from the page."""
    if isinstance(made, Missing):
        return Absent(f"The best portrait was not remixed. {made}.")
    before = _picture(f"{folder}/{made.before.filename}", made.before.painted.image, f"{person} before the remix")
    after = _picture(f"{folder}/{_remix_file(made)}", made.after.image, f"{person} after the remix: {made.words}")
    note = " ".join(filter(None, (_outcome(made), made.note)))
    return BeforeAfter(before, after, made.change.value.lower(), made.words, note)


def _outcome(made: Remixed) -> str:
    verdict, likeness = made.after.image.verdict, made.after.image.likeness
    measured = f", likeness {likeness:.2f}" if likeness is not None else ""
    if verdict is None or verdict.acceptance is Acceptance.NOT_MEASURED:
        return "Nobody could judge the new one."
    if verdict.acceptance is Acceptance.REFUSED:
        return f"The new one is refused ({', '.join(map(reason, verdict.failed))}){measured}."
    return f"The new one is accepted{measured}."


def team(made: OneLook | Missing, folder: str) -> TeamRow | Absent:
    """The team of the page; `folder`: of the portraits, seen from the page."""
    if isinstance(made, Missing):
        return Absent(f"No team was painted. {made}.")
    members = [
        Member(
            each.name,
            _picture(f"{folder}/{_team_file(each, number)}", each.painted.image, f"{each.name}: {made.style}"),
            _standing(each),
        )
        for number, each in enumerate(made.members, start=1)
        if each.painted is not None
    ]
    without = [f"{each.name} has no portrait: {each.why}." for each in made.members if each.painted is None]
    said = f"All in the style {made.style}, cut so that eyes and heads stand at the same height."
    return TeamRow(members, _figures(made.consistency), " ".join((said, *without)))


def _standing(mate: Teammate) -> str:
    """Whether the portrait keeps to the team, and how it came to be."""
    if mate.portrait is None:
        return ""
    words = fault_words(each for each in mate.portrait.faults if each is not TeamFault.NOT_ACCEPTED)
    faults = [f"falls out by {words}"] if words else []
    times = f" {mate.portrait.repaints} times" if mate.portrait.repaints > 1 else ""
    repaints = [f"painted again{times}"] if mate.portrait.repaints else []
    return "; ".join((_verdict(mate), *faults, *repaints))


def _verdict(mate: Teammate) -> str:
    if mate.portrait is not None and mate.portrait.accepted:
        return "accepted"
    verdict = mate.painted.image.verdict if mate.painted is not None else None
    failed = [title_of(check.reason).lower() for check in verdict.failed] if verdict is not None else []
    return f"not accepted: {', '.join(failed)}" if failed else "not accepted"


def _figures(told: StyleConsistency | None) -> list[Measure]:
    if told is None:
        return [Measure("Agreement", "not measured")]
    backdrops = (
        [Measure("Backdrops", f"ΔE {told.backdrop_delta_e:.1f}", "apart")] if told.backdrop_delta_e is not None else []
    )
    return [
        Measure("Eye lines", _share(told.eye_line_spread), "of the height apart"),
        Measure("Heads", _share(told.head_height_spread), "of the height apart"),
        Measure("Light", f"{told.light_balance_spread:.2f}", "apart, of -2 to 2"),
        *backdrops,
    ]


def _share(value: float) -> str:
    return f"{value:.1%}" if value >= 0.0005 else "under 0.1%"


def _picture(file: str, image: Image, alt: str) -> Picture:
    return Picture(file, image.width_px, image.height_px, alt)


def _remix_file(made: Remixed) -> str:
    return f"{REMIX}/{made.words.replace(' ', '-')}{suffix_of(made.after.image)}"


def _team_file(mate: Teammate, number: int) -> str:
    assert mate.painted is not None, "only those with a portrait have a file"
    return f"{TEAM}/{number}-{mate.name.lower().replace(' ', '-')}{suffix_of(mate.painted.image)}"
