"""Follows teams, saves and shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headshots.client import Headshots, StyleConsistency, Team, TeamFault, TeamMember

_WORDS = {
    "NOT_MEASURED": "not measured",
    "NOT_ACCEPTED": "not accepted",
    "EYE_LINE": "eye line",
    "HEAD_HEIGHT": "head height",
    "BACKDROP": "backdrop",
    "LIGHT": "light",
}


def follow_team(client: Headshots, team: Team, *, go_on: str) -> Team:
    """Show a bar until the team has ended, and return it.

    Raises:
        JobFailedError: no member has portraits.
        CancelledByCallerError: it was cancelled.
        UnavailableError, KeyboardInterrupt: with how to go on watching.
    """
    from headshots.console.following import Delays, saying_how_to_go_on
    from headshots.console.output import progress_bars

    now, delays = team, Delays()
    with saying_how_to_go_on("team", team.name, "watch", options=go_on), progress_bars() as bars:
        bar = bars.add_task("team", total=None, count="", detail="")
        for now in client.watch_team(team):
            delays.report(now.status_message)
            done = sum(member.state.terminal for member in now.members)
            count = f"{done}/{len(now.members)}"
            bars.update(bar, total=len(now.members) or None, completed=done, count=count, detail=_detail(now))
    now.raise_for_state()
    return now


def _detail(team: Team) -> str:
    """What a bar says beside the members."""
    if team.status_message:
        return "held up"
    painted = sum(member.delivered for member in team.members)
    again = team.members and all(member.state.terminal for member in team.members) and not team.state.terminal
    return f"{painted} portraits{', painting again what falls out' if again else ''}"


def save_portraits(client: Headshots, team: Team, folder: Path) -> list[Path]:
    """Write every portrait of a team, `SUBJECT-STYLE.png` and so on; the files."""
    from headshots.client.saving import save_image

    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for member in team.members:
        for portrait in member.portraits:
            stem = f"{_short(member.subject)}-{_short(portrait.style)}"
            files.append(save_image(client.get_image(portrait.image), folder, stem))
    return files


def is_whole(team: Team) -> bool:
    """Whether every member has all portraits, and none falls out."""
    return all(
        member.delivered == member.asked and not any(portrait.faults for portrait in member.portraits)
        for member in team.members
    )


def print_team(team: Team) -> None:
    """A team, its members, and how alike their portraits are."""
    from headshots.console.output import print_fields, print_table, say

    fields: dict[str, object] = {
        "team": team.name,
        "state": team.state,
        "look": f"{_short(team.look)}, version {team.look_version}",
        "expected": max(_expected(team), default=None),
        "waits for": team.status_message,
        "failure": f"{team.failure.reason}: {team.failure.message}" if team.failure is not None else "",
    }
    print_fields({name: value for name, value in fields.items() if value})
    say("")
    rows = [_row(member) for member in team.members]
    print_table(("SUBJECT", "STATE", "ACCEPTED", "REPAINTED", "FALLS OUT BY"), rows)
    if team.consistency:
        say("")
        print_table(
            ("STYLE", "PORTRAITS", "EYE LINES", "HEAD HEIGHTS", "BACKDROPS", "OUTLIERS"),
            [_alike(each) for each in team.consistency],
        )


def _expected(team: Team) -> Iterator[datetime]:
    """When half of such shoots of its members would be finished, of those that have not ended."""
    for member in team.members:
        if not member.state.terminal and member.quote is not None and member.quote.expected_finish_time is not None:
            yield member.quote.expected_finish_time


def _row(member: TeamMember) -> tuple[object, ...]:
    told = dict.fromkeys(fault for portrait in member.portraits for fault in portrait.faults)
    why = fault_words(tuple(told)) if member.failure is None else f"{member.failure.reason}: {member.failure.message}"
    repaints = sum(portrait.repaints for portrait in member.portraits)
    return _short(member.subject), member.state, f"{member.delivered}/{member.asked}", repaints, why


def fault_words(faults: Iterable[TeamFault]) -> str:
    """What a portrait falls out by, as `light, backdrop`; empty for none."""
    return ", ".join(_WORDS[fault] for fault in faults)


def _alike(told: StyleConsistency) -> tuple[object, ...]:
    backdrop = "" if told.backdrop_delta_e is None else f"dE {told.backdrop_delta_e:.1f}"
    spreads = f"{told.eye_line_spread:.1%} apart", f"{told.head_height_spread:.1%} apart"
    return _short(told.style), told.portraits, *spreads, backdrop, len(told.outliers)


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]
