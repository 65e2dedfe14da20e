"""Shows what a team would take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headshots.client import Quote, Team, TeamMember


def print_team_quote(team: Team, members: Sequence[str], *, joins: bool = False) -> None:
    """What the team's portraits would take, of these members: names of subjects, or their bare ids.

    `joins`: they would join a team that there is; else the team would be made.
    """
    from headshots.console.output import note, print_fields, print_table, say

    bare = {_short(name) for name in members}
    quoted = [(each, each.quote) for each in team.members if _short(each.subject) in bare and each.quote is not None]
    say(f"nobody was added to {team.name}: this is a quote" if joins else "no team was made: this is a quote")
    say("")
    print_fields(_fields(team, quoted))
    say("")
    rows = [_row(member, quote) for member, quote in quoted]
    print_table(("SUBJECT", "TRAINING", "PORTRAITS", "IMAGES", "WORK", "FINISHED"), rows)
    for member, quote in quoted:
        if quote.beyond_expiry:
            told = "is not kept until then, and would be stopped; `headshots subjects extend` first"
            note(f"{member.subject} {told}")
    if not all(quote.measured_on for _, quote in quoted):
        note("nothing has been trained or painted here yet, so that nobody can tell how long it takes")


def _fields(team: Team, quoted: Sequence[tuple[TeamMember, Quote]]) -> dict[str, object]:
    from headshots.console.output import counted, duration

    quotes = [quote for _, quote in quoted]
    trained = sum(bool(quote.training_steps) for quote in quotes)
    work = [quote.device_seconds for quote in quotes if quote.device_seconds is not None]
    before = min((quote.queue_place for quote in quotes), default=0)
    asked = sum(member.asked for member, _ in quoted)
    return {
        "look": f"{_short(team.look)}, version {team.look_version}",
        "people": f"{len(quoted)}, {trained} to be trained first" if trained else len(quoted),
        "portraits": asked,
        "images": f"{sum(quote.images for quote in quotes)} expected, tries included; what falls out is painted on top",
        "queue": f"{before} before it" if before else "nothing before it",
        "device": f"{duration(sum(work))} of work" if len(work) == len(quotes) else "not known yet",
        "finished": _finished(quotes),
        "measured on": counted(
            max((quote.measured_on for quote in quotes), default=0), "training or gallery", "trainings and galleries"
        ),
    }


def _finished(quotes: Sequence[Quote]) -> str:
    """When the last of them would be finished."""
    expected = [each.expected_finish_time.astimezone() for each in quotes if each.expected_finish_time is not None]
    latest = [each.latest_finish_time.astimezone() for each in quotes if each.latest_finish_time is not None]
    if not quotes or min(len(expected), len(latest)) < len(quotes):
        return "not known yet"
    return f"{max(expected):%Y-%m-%d %H:%M:%S}, nine of ten by {max(latest):%H:%M:%S}"


def _row(member: TeamMember, quote: Quote) -> tuple[object, ...]:
    from headshots.console.output import duration

    work = duration(quote.device_seconds) if quote.device_seconds is not None else "not known"
    finished = quote.expected_finish_time
    # The first training of an installation has no steps that anybody could tell.
    without = "none" if quote.measured_on else "not known"
    return (
        _short(member.subject),
        f"{quote.training_steps} steps" if quote.training_steps else without,
        member.asked,
        quote.images,
        work,
        f"{finished.astimezone():%H:%M:%S}" if finished is not None else "not known",
    )


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]
