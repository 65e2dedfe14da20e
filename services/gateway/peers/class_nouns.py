"""Checks whether a foundation knows people by a subject's class noun."""

from __future__ import annotations

from headshots.errors import FailedPreconditionError, FieldViolation
from services.gateway.peers.models import GeneratorDescription


def check_class_noun(description: GeneratorDescription, class_noun: str) -> None:
    """Refuses a class noun that a foundation with a closed vocabulary was not taught.

    Raises:
        FailedPreconditionError: CLASS_NOUN_UNKNOWN.
    """
    if description.vocabulary and class_noun not in description.class_nouns:
        known = ", ".join(description.class_nouns)
        raise FailedPreconditionError(
            "CLASS_NOUN_UNKNOWN",
            f"the foundation does not know people as {class_noun!r}; make the subject with one of {known}",
            violations=[FieldViolation("class_noun", f"one of {known}")],
        )
