"""Shows pictures beside each other: a remix before and after, and a team in one look."""

from __future__ import annotations

from html import escape

from headshots.pages.html import image, measures, section
from headshots.pages.models import Absent, BeforeAfter, Member, Picture, TeamRow


def remix(shown: BeforeAfter | Absent | None) -> str:
    """A remix before and after, or why there is none."""
    if shown is None:
        return ""
    if isinstance(shown, Absent):
        return section("Not remixed", _why(shown), name="remix")
    pair = (
        f'{_side(shown.before, "before")}<span class="arrow" aria-hidden="true">→</span>{_side(shown.after, "after")}'
    )
    note = f"The {shown.change} was changed to “{shown.words}”; all else was to stay. {shown.note}".strip()
    return section("Remixed", f'<div class="pair">{pair}</div>', note, name="remix")


def _side(picture: Picture, word: str) -> str:
    return f'<figure class="card">{image(picture)}<figcaption><strong>{word}</strong></figcaption></figure>'


def team(shown: TeamRow | Absent | None) -> str:
    """A team, and how well its pictures agree, or why there is none."""
    if isinstance(shown, Absent):
        return section("No team", _why(shown), name="team-row")
    if shown is None or not shown.members:
        return ""
    row = "".join(map(_member, shown.members))
    body = f'<div class="team">{row}</div>{measures(shown.consistency, "facts")}'
    return section("A team in one look", body, shown.note, name="team-row")


def _why(shown: Absent) -> str:
    return f"<p>{escape(shown.why)}</p>"


def _member(member: Member) -> str:
    note = f'<span class="small">{escape(member.note)}</span>' if member.note else ""
    return (
        f'<figure class="card">{image(member.picture)}'
        f"<figcaption><strong>{escape(member.name)}</strong>{note}</figcaption></figure>"
    )
