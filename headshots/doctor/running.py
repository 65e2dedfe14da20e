"""Runs checks one after the other, each within its time, so that none keeps the later ones from being run."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from headshots.doctor.findings import Finding, Result, State, failed, skipped
from headshots.doctor.secrets import Redactor
from headshots.errors import HeadshotsError

SECONDS = 15.0
"""That a check may take, where it says nothing else."""
_LONGEST = 400
_CAUSE = re.compile(r'\bmessage: "([^"]+)"')
# Their messages are for callers, who must not learn of hosts and paths: the operator may, from what they came from.
_SAYS_LITTLE = ("DATABASE_UNAVAILABLE", "OBJECT_STORE_UNAVAILABLE", "OBJECT_STORE_FULL")


@dataclass(frozen=True)
class Check:
    """One thing to look at."""

    name: str
    look: Callable[[], Finding | Sequence[Finding]]
    """Blocks. What it raises is a failure with what was raised as what was seen."""
    cure: str
    """What to do where it raises, or does not end."""
    seconds: float = SECONDS
    needs: str = ""
    """An earlier check without whose success this one would only tell the same again; empty: none."""


def run(service: str, checks: Sequence[Check], redactor: Redactor) -> Iterator[Result]:
    """The results of the checks, as they come, without secrets.

    What needs a check that failed, or one that was not looked at for that, is not looked at: one cause is told once.
    A check that does not end in time stays behind in a daemon thread: end the process by `os._exit`.
    """
    lost: set[str] = set()
    for check in checks:
        findings = _findings(check) if check.needs not in lost else [skipped(f"it needs {check.needs!r} above")]
        if check.needs in lost or any(found.state is State.FAILED for found in findings):
            lost.add(check.name)
        for found in findings:
            seen, cure = (" ".join(redactor.clean(text).split()) for text in (found.seen, found.cure))
            yield Result(service, check.name, found.state, seen, cure)


def describe(error: BaseException) -> str:
    """What an operator should know of an error: its reason, and what it came from where its own message hides that."""
    if not isinstance(error, HeadshotsError):
        return _of_backend(f"{type(error).__name__}: {error}")
    cause = error.__cause__
    if error.reason in _SAYS_LITTLE and cause is not None:
        return f"{error.reason}: {_of_backend(str(getattr(cause, 'orig', None) or cause))}"
    return str(error)


def _findings(check: Check) -> Sequence[Finding]:
    found: list[Finding] = []

    def look() -> None:
        try:
            seen = check.look()
        except Exception as error:  # noqa: BLE001 - the later checks have to be run
            seen = failed(describe(error), check.cure)
        found.extend([seen] if isinstance(seen, Finding) else seen)

    thread = threading.Thread(target=look, name=check.name, daemon=True)
    thread.start()
    thread.join(check.seconds)
    if thread.is_alive():
        return [failed(f"no answer within {check.seconds:.0f} s", check.cure)]
    return found


def _of_backend(text: str) -> str:
    """The message of a database's or a store's library; the latter's ends in pages of structure, the cause in them."""
    message, _, structure = text.partition("\n\nDebug source")
    causes = _CAUSE.findall(structure)
    return _short(": ".join([message, *causes[-1:]]))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
