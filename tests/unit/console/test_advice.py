"""After an error the command that helps is named."""

from __future__ import annotations

from headshots.console.advice import advice_for
from headshots.errors import FailedPreconditionError


def test_what_a_shoot_needs_is_given_free_by_the_command_that_ends_it() -> None:
    for job, command in (("shoots/o", "shoots"), ("trainings/t", "trainings"), ("galleries/g", "galleries")):
        name = f"subjects/s/{job}"
        for reason in ("SUBJECT_BUSY", "PHOTO_IN_USE", "GALLERY_IN_USE", "IMAGE_IN_USE"):
            said = advice_for(FailedPreconditionError(reason, "it is needed", metadata={"name": name}))
            assert said == f"`headshots {command} cancel {name}` ends it"
