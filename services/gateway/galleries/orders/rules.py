"""Checks what an order of a gallery says of its styles, its shots and its remix, before anything is looked up."""

from __future__ import annotations

from collections.abc import Iterator

from headshots.acceptance.verdict import Acceptance
from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError
from services.gateway.galleries.limits import MAX_SHOTS
from services.gateway.galleries.models import GalleryOrder, Image
from services.gateway.galleries.remix import RemixOrder


def check_styles(order: GalleryOrder) -> None:
    """Refuses an order without styles, or a change that says not all or more than it needs.

    Raises:
        InvalidArgumentError: CONSTRAINT_VIOLATED, REMIX_INVALID.
    """
    if not order.styles and not order.changes:
        rule = "must have 1 to 32 styles"
        raise InvalidArgumentError(
            "CONSTRAINT_VIOLATED", f"styles: {rule}", violations=[FieldViolation("styles", rule)]
        )
    violations = list(_faults(order.remix, order)) if order.remix is not None else []
    if violations:
        told = "; ".join(f"{each.field} {each.description}" for each in violations)
        raise InvalidArgumentError("REMIX_INVALID", f"the remix cannot be painted so: {told}", violations=violations)


def _faults(remix: RemixOrder, order: GalleryOrder) -> Iterator[FieldViolation]:
    if remix.change is None and remix.to:
        yield FieldViolation("remix.change", f"must say what {remix.to!r} is: backdrop, outfit or light")
    if remix.change is not None and not remix.to.strip():
        yield FieldViolation("remix.to", f"must say what the {remix.change.field} changes to, or name a style")
    if remix.change is not None and order.styles:
        yield FieldViolation("styles", "must be empty beside remix.change, which keeps the image's own style")


def check_not_refused(image: Image, name: str) -> None:
    """Refuses to go on from an image that its profile refused: what is wrong with it would stay.

    Raises:
        FailedPreconditionError: REMIX_OF_REFUSED_IMAGE.
    """
    if image.judgement is None or image.judgement.verdict.acceptance is not Acceptance.REFUSED:
        return
    failed = ", ".join(check.reason for check in image.judgement.verdict.checks if not check.passed)
    raise FailedPreconditionError(
        "REMIX_OF_REFUSED_IMAGE",
        f"{name} was refused by its profile ({failed}), and a change of one thing would keep what is wrong with it; "
        "take an accepted image, or RegenerateImage first",
        metadata={"name": name},
        violations=[FieldViolation("remix.image", f"was refused: {failed}")],
    )


def check_counts(order: GalleryOrder) -> None:
    """Refuses numbers of shots that do not fit the styles, or are too many.

    Raises:
        InvalidArgumentError: STYLE_SHOTS_INVALID, TOO_MANY_SHOTS.
    """
    styles, told = len(order.styles), order.style_shots
    if told and len(told) != styles:
        message = f"{len(told)} numbers of shots for {styles} styles; give one for each, in the order of styles"
        violation = FieldViolation("style_shots", f"must have {styles} numbers")
        raise InvalidArgumentError("STYLE_SHOTS_INVALID", message, violations=[violation])
    if told and order.shots_per_style:
        violation = FieldViolation("shots_per_style", "must be 0 where style_shots is set")
        message = "shots_per_style and style_shots are both set; leave one out"
        raise InvalidArgumentError("STYLE_SHOTS_INVALID", message, violations=[violation])
    total = sum(order.counts)
    if total > MAX_SHOTS:
        field = "style_shots" if told else "shots_per_style"
        rule = f"{MAX_SHOTS} in all at most" if told else f"at most {MAX_SHOTS // styles} here"
        raise InvalidArgumentError(
            "TOO_MANY_SHOTS",
            f"{total} shots are more than {MAX_SHOTS}; order several galleries",
            violations=[FieldViolation(field, rule)],
        )
