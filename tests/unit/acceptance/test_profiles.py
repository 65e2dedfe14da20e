"""The built-in profiles keep their limits under a version, and strict is tighter in each."""

from __future__ import annotations

import dataclasses
import hashlib
import json

from headshots.acceptance.profiles import PROFILE_WORTHY, STRICT

LIMITS_OF = {("profile-worthy", 2): "075909abec5b", ("strict", 2): "b8e7764d7166"}
"""By name and version, a digest of the limits: verdicts name the version, which must go on meaning the same."""


def test_a_changed_limit_raises_the_version() -> None:
    found = {
        (profile.name, profile.version): hashlib.sha256(
            json.dumps(profile.limits.to_json(), sort_keys=True).encode()
        ).hexdigest()[:12]
        for profile in (PROFILE_WORTHY, STRICT)
    }
    assert found == LIMITS_OF, "raise the version of the profile whose limits changed, and write its digest here"


def test_strict_is_tighter_in_each_limit() -> None:
    for field in dataclasses.fields(STRICT.limits):
        strict, worthy = (getattr(profile.limits, field.name) for profile in (STRICT, PROFILE_WORTHY))
        assert strict < worthy if field.name.startswith("max_") else strict > worthy, field.name
