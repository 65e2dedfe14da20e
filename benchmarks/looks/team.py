"""A team of several people in one look, of whom one joins later; its portraits are measured anew, in their files."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.looks.report import Say, Scale
from benchmarks.report import Measured
from benchmarks.shoot.people import Person, Pixels
from benchmarks.shoot.studio import Studio, decoded
from headshots.client import Frame, Team
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.looks.consistency import Seen, consistency
from headshots.looks.measures import measure

STYLE = "studio-navy-suit"
FRAME = Frame(96, 120)


async def run(studio: Studio, people: list[Person], scale: Scale, say: Say) -> Measured:
    """Trains and paints all but one, then the last."""
    client = studio.client
    members = [await studio.subject(person) for person in people[: scale.people]]
    look = await client.create_look("bench", [STYLE], FRAME)
    made = await client.create_team(look, members[:-1], train=True)
    team = await client.wait_team(made, on_progress=lambda now: say(_told(now)))
    team = await client.wait_team(await client.add_team_members(team, members[-1:], train=True))
    say(_told(team))
    files = {
        portrait.image: decoded((await client.get_image(portrait.image)).content)
        for member in team.members
        for portrait in member.portraits
        if portrait.accepted
    }
    analyzer = open_analyzer("bundled")
    assert analyzer is not None
    delivered = sum(member.delivered for member in team.members) / sum(member.asked for member in team.members)
    figures = {"team_members_delivered": delivered, **spreads(analyzer, files)}
    told = [each for each in team.consistency if each.style == f"styles/{STYLE}"]
    figures["team_outliers"] = float(sum(len(each.outliers) for each in told))
    rows = [
        {
            "member": person.name,
            "state": str(member.state),
            "repaints": sum(portrait.repaints for portrait in member.portraits),
            "faults": [str(fault) for portrait in member.portraits for fault in portrait.faults],
        }
        for person, member in zip(people, team.members, strict=False)
    ]
    return Measured(figures, {"team": rows})


def spreads(analyzer: FaceAnalyzer, files: Mapping[str, Pixels]) -> dict[str, float]:
    """The figures of finished portraits, by what the analyzer sees in the files themselves."""
    told = consistency({name: Seen(measure(analyzer, pixels), accepted=True) for name, pixels in files.items()})
    if told is None:
        return {}
    found = {
        "team_eye_line_spread": told.eye_line_spread,
        "team_head_height_spread": told.head_height_spread,
        "team_light_spread": told.light_spread,
    }
    if told.backdrop_delta_e is not None:
        found["team_backdrop_delta_e"] = told.backdrop_delta_e
    return found


def _told(team: Team) -> str:
    ended = sum(member.state.terminal for member in team.members)
    return f"{team.state}: {ended} of {len(team.members)} members have ended"
