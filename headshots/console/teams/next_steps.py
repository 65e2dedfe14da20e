"""Tells what to type where a team did not come out whole: who failed, what is not accepted, what falls out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headshots.client import Look, Team, TeamDeviation, TeamMember, TeamPortrait

_MOST_REPAINTS, _MOST_TRIES = 5, 10
# So far from the seeds of before that none of them is tried again, whatever the tries.
_SEEDS_FURTHER = 1_000


def print_next_steps(team: Team, look: Look, out: Path | None) -> None:
    """What is amiss, and the commands that change it; `out`: where the portraits were saved, None: nowhere."""
    from headshots.console.output import say

    for line in _lines(team, look, out):
        say(line)


def _lines(team: Team, look: Look, out: Path | None) -> Iterator[str]:
    # Who failed can be added again; who has portraits cannot.
    failed = [member for member in team.members if member.failure is not None and not member.portraits]
    if failed:
        yield f"\n{_names(failed)} failed: `headshots teams add {team.name} {_subjects(failed)}` orders them again"
    for member in team.members:
        if member.failure is None and len(member.portraits) < member.asked:
            told = f"{len(member.portraits)} of {member.asked} portraits"
            yield f"\n{_short(member.subject)} has {told}: `headshots shoots get {member.shoot}` tells why"
    amiss = [portrait for member in team.members for portrait in member.portraits if portrait.faults]
    for portrait in amiss:
        yield f"\n{portrait.image} {_what_is_wrong(portrait)}"
    if amiss:
        yield from _choices(team, look, amiss[0], out)


def _choices(team: Team, look: Look, first: TeamPortrait, out: Path | None) -> Iterator[str]:
    """What can be done about portraits that are amiss, of which this is the first."""
    name = _short(look.name)
    kept = f"it is saved in {out}" if out is not None else f"`headshots teams watch {team.name}` saves it"
    yield f"\nto keep a portrait as it is: nothing has to be done; {kept}"
    yield (
        "to paint one from other seeds, in the same frame and outside of the team: "
        f"`headshots images regenerate {first.image}`"
    )
    yield (
        f"to paint another team from more seeds: `headshots looks update {name} {_further(look)}`, then "
        f"`headshots teams shoot {name} {_subjects(team.members)}`"
    )


def _what_is_wrong(portrait: TeamPortrait) -> str:
    """`falls out by backdrop: dE 5.2 from the team's, 3.0 is allowed (painted again 3 times)`."""
    from headshots.console.output import counted
    from headshots.console.teams.showing import fault_words

    measured = {each.fault for each in portrait.deviations}
    told = [_deviation(each) for each in portrait.deviations]
    if others := [fault for fault in portrait.faults if fault not in measured]:
        told.insert(0, f"is {fault_words(others)}")
    again = f" (painted again {counted(portrait.repaints, 'time')})" if portrait.repaints else ""
    return "; ".join(told) + again


def _deviation(told: TeamDeviation) -> str:
    from headshots.client import TeamFault
    from headshots.console.teams.showing import fault_words

    def shown(value: float) -> str:
        if told.fault is TeamFault.BACKDROP:
            return f"dE {value:.1f}"
        return f"{value:.2f}" if told.fault is TeamFault.LIGHT else f"{value:.2%} of the height"

    far = f"{shown(told.apart)} from the team's, {shown(told.allowed)} allowed"
    return f"falls out by {fault_words([told.fault])}: {far}"


def _further(look: Look) -> str:
    """The option that tries what was not tried."""
    if look.max_repaints < _MOST_REPAINTS:
        return f"--max-repaints {_MOST_REPAINTS}"
    if look.max_tries < _MOST_TRIES:
        return f"--max-tries {_MOST_TRIES}"
    return f"--seed {(look.seed + _SEEDS_FURTHER) % 2**32}"


def _names(members: Sequence[TeamMember]) -> str:
    return ", ".join(_short(member.subject) for member in members)


def _subjects(members: Sequence[TeamMember]) -> str:
    return " ".join(_short(member.subject) for member in members)


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]
