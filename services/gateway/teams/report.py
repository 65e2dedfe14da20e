"""Tells how alike the portraits of a team are, from what was measured when they were judged. Knows no SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from headshots.looks.consistency import consistency, distance
from services.gateway.teams.models import ImageRef, Member, Portrait, Team


def with_consistency(team: Team) -> Team:
    """The team with its consistency, by style."""
    by_style: dict[str, list[ImageRef]] = {}
    for member in team.members:
        for portrait in member.portraits:
            by_style.setdefault(portrait.style, []).append(portrait.image)
    found = {}
    for style, images in by_style.items():
        told = consistency({image: team.seen[image] for image in images})
        if told is not None:
            found[style] = told
    return dataclasses.replace(team, consistency=found)


def to_repaint(team: Team) -> Iterator[tuple[Member, Portrait]]:
    """The portraits that fall out of a painted team and may be painted again."""
    for member in team.members:
        for portrait in member.portraits:
            if team.faults_of(portrait) and portrait.repaints < team.look.max_repaints:
                yield member, portrait


def is_nearer(team: Team, portrait: Portrait, new: ImageRef) -> bool:
    """Whether an image that was painted in place of a portrait is nearer to the medians; both are in `team.seen`, if
    they exist. Where nothing tells, the portrait stays."""
    middle = team.consistency.get(portrait.style)
    if new not in team.seen or middle is None:
        return False
    if portrait.image not in team.seen:
        return True
    return distance(team.seen[new], middle.middle) < distance(team.seen[portrait.image], middle.middle)
