"""Refuses consents that cannot be, and completes what a caller may leave out. No SQL."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator

from headshots.errors import FieldViolation, InvalidArgumentError
from services.gateway.consents.models import Consent

MAX_AHEAD_SECONDS = 300.0
"""How far a caller's clock may be ahead of the database's."""


def completed(given: Consent, now: float) -> Consent:
    """The consent as it is recorded at `now`, with the digest of its text and the time when it was given.

    Raises:
        InvalidArgumentError: CONSENT_INVALID, with every field that contradicts another or the time.
    """
    violations = [FieldViolation(f"consent.{field}", rule) for field, rule in _broken(given, now)]
    if violations:
        told = "; ".join(f"{each.field}: {each.description}" for each in violations)
        raise InvalidArgumentError("CONSENT_INVALID", f"no such consent can be: {told}", violations=violations)
    return dataclasses.replace(
        given,
        sha256=given.sha256 or _sha256(given.text),
        given_at=now if given.given_at is None else given.given_at,
        recorded_at=now,
    )


def _broken(given: Consent, now: float) -> Iterator[tuple[str, str]]:
    """Fields, each with the rule that it breaks."""
    if not given.text and not given.uri:
        yield "statement_text", "give the text that the person agreed to, or in statement_uri where it is kept"
    elif given.text and given.uri:
        yield "statement_uri", "give either it or statement_text"
    elif given.uri and not given.sha256:
        yield "statement_sha256", "a text that is kept elsewhere needs its SHA-256"
    elif given.text and given.sha256 not in ("", _sha256(given.text)):
        yield "statement_sha256", f"the SHA-256 of statement_text is {_sha256(given.text)}; leave it out, or send that"
    if given.given_at is not None and given.given_at > now + MAX_AHEAD_SECONDS:
        yield "give_time", "is in the future; tell when the person agreed"
    if given.expires_at is not None and given.expires_at <= max(now, given.given_at or now):
        yield "expire_time", "must come after now and after give_time; leave it out where the consent does not expire"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
