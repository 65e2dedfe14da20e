"""Checks the styles of packs: that a pack can be ordered when it is kept, and whether it still can. Blocking SQL."""

from __future__ import annotations

from collections import Counter

from sqlalchemy.engine import Connection

from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import MAX_TOTAL_SHOTS, Pack
from headshots.styles.recipe import Style
from services.gateway.api.names import pack_name, style_name
from services.gateway.styles.rows import usable_styles


def check_styles(connection: Connection, library: StyleLibrary, tenant_id: str, pack: Pack, field: str) -> None:
    """Refuses what could not be ordered; `field` names the list of styles in the caller's request.

    Raises:
        InvalidArgumentError: PACK_INVALID, TOO_MANY_SHOTS, STYLE_UNKNOWN.
        FailedPreconditionError: STYLE_ARCHIVED.
    """
    names = [name for name, _ in pack.styles]
    if not names:
        rule = "a pack has at least one style"
        violation = FieldViolation(field, "must have at least one style")
        raise InvalidArgumentError("PACK_INVALID", f"{rule}; name 1 to 32, each with its shots", violations=[violation])
    repeated = {name for name, times in Counter(names).items() if times > 1}
    if repeated:
        told = ", ".join(map(style_name, sorted(repeated)))
        violations = [
            FieldViolation(f"{field}[{at}].style", "is named before")
            for at, name in enumerate(names)
            if name in names[:at]
        ]
        message = f"{told} comes more than once; name each style once, with all its shots"
        raise InvalidArgumentError("PACK_INVALID", message, violations=violations)
    if pack.total_shots > MAX_TOTAL_SHOTS:
        raise InvalidArgumentError(
            "TOO_MANY_SHOTS",
            f"{pack.total_shots} shots are more than the {MAX_TOTAL_SHOTS} of a pack; give its styles fewer, or make "
            "several packs",
            violations=[FieldViolation(field, f"{MAX_TOTAL_SHOTS} shots in all at most")],
        )
    usable_styles(connection, library, tenant_id, names, [f"{field}[{at}].style" for at in range(len(names))])


def recipes_of(connection: Connection, library: StyleLibrary, tenant_id: str, pack: Pack, field: str) -> list[Style]:
    """The recipes of a pack's styles as they are now; `field` names the pack in the caller's request.

    Raises:
        InvalidArgumentError: STYLE_UNKNOWN, of a style that a later installation does not have any more.
        FailedPreconditionError: STYLE_ARCHIVED.
    """
    names = [name for name, _ in pack.styles]
    try:
        return usable_styles(connection, library, tenant_id, names, [field] * len(names))
    except (InvalidArgumentError, FailedPreconditionError) as refusal:
        cannot = f"{pack_name(pack.name)} cannot be ordered: {refusal.message}"
        message = f"{cannot}; UpdatePack gives a pack of your own other styles"
        raise type(refusal)(
            refusal.reason, message, violations=refusal.violations, metadata=refusal.metadata
        ) from refusal
