"""Checks looks: that a team could be ordered in one when it is kept. Blocking SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from headshots.acceptance.profiles import Profile
from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError
from headshots.looks.fitting import Painted, find_misfits
from headshots.looks.frame import Frame, find_faults
from headshots.looks.look import Look
from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style
from services.gateway.profiles.rows import usable_profile
from services.gateway.styles.rows import usable_styles


def check_look(
    connection: Connection, library: StyleLibrary, tenant_id: str, look: Look, styles_field: str = "styles"
) -> tuple[tuple[Style, ...], Profile]:
    """The recipes and the profile that a look names, as they are now; `styles_field` is where the caller names styles.

    Raises:
        InvalidArgumentError: LOOK_INVALID, FRAME_IMPOSSIBLE, STYLE_UNKNOWN, PROFILE_UNKNOWN.
        FailedPreconditionError: STYLE_ARCHIVED.
    """
    _check_counts(look, styles_field)
    faults = [FieldViolation(f"frame.{each.field}", each.description) for each in find_faults(look.frame)]
    if faults:
        told = "; ".join(f"{each.field}: {each.description}" for each in faults)
        raise InvalidArgumentError("FRAME_IMPOSSIBLE", f"no portrait can have this frame: {told}", violations=faults)
    fields = [f"{styles_field}[{at}]" for at in range(len(look.styles))]
    recipes = usable_styles(connection, library, tenant_id, look.styles, fields)
    return tuple(recipes), usable_profile(connection, tenant_id, look.profile)


def check_fits(frame: Frame, painted: Sequence[Painted | None]) -> None:
    """Refuses a frame that has no room in what any of these foundations usually paints; the default one comes first.

    None, a foundation that does not tell what it paints, may paint anything. So may all where none is known.

    Raises:
        FailedPreconditionError: FRAME_BEYOND_PORTRAITS, with what to use on the first of them.
    """
    misfits = [[] if each is None else list(find_misfits(frame, each)) for each in painted]
    if not misfits or not all(misfits):
        return
    faults = [FieldViolation(f"frame.{each.field}", each.description) for each in misfits[0]]
    told = "; ".join(f"{each.field}: {each.description}" for each in faults)
    raise FailedPreconditionError(
        "FRAME_BEYOND_PORTRAITS",
        f"no foundation paints portraits that have room for this frame: {told}",
        violations=faults,
    )


def _check_counts(look: Look, styles_field: str) -> None:
    if not look.styles:
        rule = "a look has at least one style"
        violation = FieldViolation(styles_field, rule)
        raise InvalidArgumentError("LOOK_INVALID", f"{rule}; name 1 to 8", violations=[violation])
    if look.portraits < len(look.styles):
        rule = f"at least {len(look.styles)}, one for each style"
        raise InvalidArgumentError(
            "LOOK_INVALID",
            f"{look.portraits} portraits are too few for {len(look.styles)} styles; ask for {rule}, or name fewer",
            violations=[FieldViolation("portraits", rule)],
        )
