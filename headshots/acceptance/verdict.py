"""What an acceptance profile says of a portrait: every check with what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Acceptance(StrEnum):
    """The outcome."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_MEASURED = "not_measured"
    """Nothing failed that was measured, and something could not be: never a pass."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `reason` is UPPER_SNAKE and says what fails where it does not pass; `measured` is in the unit of
    `limit`, and both are None where there was nothing to measure, which never passes."""

    reason: str
    passed: bool
    measured: float | None
    limit: float | None
    message: str
    """One sentence for a person."""

    def to_json(self) -> dict[str, Any]:
        """For rows."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Check:
        """Inverse of `to_json`."""
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of a portrait, and what follows from them."""

    acceptance: Acceptance
    profile: str
    """Without `profiles/`."""
    profile_version: int
    analyzer: str
    """Name and version of the analyzer of faces; empty without one."""
    checks: tuple[Check, ...]

    @classmethod
    def of(cls, profile: str, profile_version: int, analyzer: str, checks: Sequence[Check]) -> Verdict:
        """Refused where a check that was measured fails, else not measured where one was not, else accepted."""
        outcome = Acceptance.ACCEPTED
        if not all(check.passed for check in checks):
            is_refused = any(not check.passed and check.measured is not None for check in checks)
            outcome = Acceptance.REFUSED if is_refused else Acceptance.NOT_MEASURED
        return cls(outcome, profile, profile_version, analyzer, tuple(checks))

    def to_json(self) -> dict[str, Any]:
        """For rows."""
        return {
            "acceptance": self.acceptance.value,
            "profile": self.profile,
            "profile_version": self.profile_version,
            "analyzer": self.analyzer,
            "checks": [check.to_json() for check in self.checks],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Verdict:
        """Inverse of `to_json`."""
        checks = tuple(map(Check.from_json, value["checks"]))
        return cls(**{**value, "acceptance": Acceptance(value["acceptance"]), "checks": checks})
