"""A member's shoot is ordered as the look was when its team was made."""

from __future__ import annotations

from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.looks.frame import Frame
from headshots.looks.look import Look
from headshots.schema import PENDING
from services.gateway.galleries.orders.seeds import StyleSeeds
from services.gateway.teams.models import Member, Team


def _style_seeds(look: Look) -> StyleSeeds:
    member = Member("s", 1, False, 0.0, PENDING)
    team = Team("t", "acme", PENDING, look, (), PROFILE_WORTHY, 1, 0.0, members=(member,))
    return team.order_of(member).style_seeds


def test_several_styles_have_seeds_of_their_own_except_in_teams_of_before_they_had() -> None:
    new = Look("office", "", "", ("suit", "shirt"), 2, Frame(96, 120), "profile-worthy", styles_differ=True)
    assert _style_seeds(Look.from_json(new.to_json())) is StyleSeeds.VARIED
    before = {name: value for name, value in new.to_json().items() if name != "styles_differ"}
    assert _style_seeds(Look.from_json(before)) is StyleSeeds.SAME, "who joins is painted as the others were"


def test_a_single_style_is_painted_from_the_looks_own_seed() -> None:
    one = Look("office", "", "", ("suit",), 1, Frame(96, 120), "profile-worthy", styles_differ=True)
    assert _style_seeds(one) is StyleSeeds.SAME
