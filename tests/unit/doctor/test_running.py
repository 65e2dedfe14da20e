"""No check hides the later ones, and no finding holds a secret."""

from __future__ import annotations

import threading

import pytest

from headshots.doctor.findings import Finding, Result, State, failed, ok, warning
from headshots.doctor.running import Check, run
from headshots.doctor.secrets import Redactor
from headshots.errors import FailedPreconditionError, UnavailableError

NOTHING = Redactor({})


def results(*checks: Check, redactor: Redactor = NOTHING) -> list[Result]:
    return list(run("gateway", checks, redactor))


def raising(error: Exception) -> Check:
    def look() -> Finding:
        raise error

    return Check("raising", look, "mend it")


def test_what_a_check_raises_is_what_it_has_found_and_the_next_is_run() -> None:
    first, second, third = results(
        raising(FailedPreconditionError("EXTRA_MISSING", "no such package")),
        raising(KeyError("a defect")),
        Check("last", lambda: ok("fine"), ""),
    )
    assert first == Result("gateway", "raising", State.FAILED, "EXTRA_MISSING: no such package", "mend it")
    assert second == Result("gateway", "raising", State.FAILED, "KeyError: 'a defect'", "mend it")
    assert third == Result("gateway", "last", State.OK, "fine", "")


def test_a_check_that_does_not_end_is_left_behind() -> None:
    never = threading.Event()
    try:
        first, second = results(
            Check("hanging", lambda: ok(str(never.wait())), "wake it", 0.05), Check("last", lambda: ok("fine"), "")
        )
    finally:
        never.set()
    assert (first.state, first.cure) == (State.FAILED, "wake it")
    assert first.seen.startswith("no answer within")
    assert second.state is State.OK


def test_a_check_may_find_several_things() -> None:
    found = results(Check("disk", lambda: [ok("a"), warning("b", "c"), failed("d", "e")], ""))
    assert [(each.check, each.state.value, each.seen, each.cure) for each in found] == [
        ("disk", "ok", "a", ""),
        ("disk", "warning", "b", "c"),
        ("disk", "failed", "d", "e"),
    ]


@pytest.mark.parametrize("reason", ["DATABASE_UNAVAILABLE", "OBJECT_STORE_UNAVAILABLE", "OBJECT_STORE_FULL"])
def test_where_the_message_is_for_callers_the_cause_is_told(reason: str) -> None:
    error = UnavailableError(reason, "see the service's log")
    error.__cause__ = OSError("connection to\n  db.example.com refused")
    (found,) = results(raising(error))
    assert found.seen == f"{reason}: connection to db.example.com refused"


def test_results_cross_a_pipe_unchanged() -> None:
    result = Result("trainer", "clock", State.WARNING, "5 s …", "NTP")
    assert Result.from_line(result.to_line()) == result
    assert "\n" not in result.to_line()
    for line in ("", "hello", "1", '{"service": "a"}', '{"state": "odd"}'):
        with pytest.raises((ValueError, TypeError)):
            Result.from_line(line)


SECRET = "p4ss,w0rd"
TEXTS = {
    "of a URL": f"postgresql+psycopg://ada:{SECRET}@db:5432/headshots refused",
    "of a URL with an at sign": "postgresql://ada:pa@ss@db/headshots",
    "of a URL that is none": "postgresql+psycopg//ada:pa55@db/headshots is no URL",
    "short, of a URL": "postgresql://ada:x@db/headshots",
    "of an option": "password=pa55 host=db",
    "of a signed link": "https://store/x?sig=pa55&se=2026",
    "an API key": "hs_pa55word was refused",
    "a private key": "-----BEGIN PRIVATE KEY-----\npa55\n-----END PRIVATE KEY-----",
    "of a variable": "the answer to pa55-of-aws was 403",
    "as it is meant": "user ada, with p@55, was refused",
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("place", ["seen", "cure"])
def test_no_secret_is_told(kind: str, place: str) -> None:
    redactor = Redactor(
        {
            "AWS_SECRET_ACCESS_KEY": "pa55-of-aws",
            "HEADSHOTS_DATABASE_URL": "postgresql://ada:p%4055@db/headshots",
            "HEADSHOTS_INTERNAL_KEY_FILE": "/internal/key",
        }
    )
    finding = failed(TEXTS[kind], "") if place == "seen" else failed("", TEXTS[kind])
    (found,) = results(Check("any", lambda: finding, ""), redactor=redactor)
    told = found.seen + found.cure
    assert "***" in told
    for secret in (SECRET, "pa@ss", "pa55", ":x@", "p@55", "hs_pa"):
        assert secret not in told


def test_what_is_no_secret_stays() -> None:
    redactor = Redactor(
        {
            "HEADSHOTS_INTERNAL_KEY_FILE": "/internal/key",
            "HEADSHOTS_GATEWAY_RECEIPT_KEY": "/receipt-key/receipt-key.pem",
        }
    )
    for text in (
        "/internal/key and /receipt-key/receipt-key.pem hold keys",
        "127.0.0.1:50052 serves; HEADSHOTS_GATEWAY_PORT=50051: taken",
        "s3://bucket/prefix, postgresql://db:5432/headshots",
    ):
        (found,) = results(Check("any", lambda text=text: ok(text), ""), redactor=redactor)  # type: ignore[misc]
        assert found.seen == text
