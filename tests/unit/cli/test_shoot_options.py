"""Times and spans of time are read and shown as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from headshots.cli.shoot_options import moment, span, span_or_zero, span_shown


@pytest.mark.parametrize(
    ("written", "seconds"), [("45s", 45), ("90m", 5400), ("12h", 43200), ("30d", 2592000), (" 2h ", 7200), ("0d", 0)]
)
def test_a_span_is_a_number_and_a_unit(written: str, seconds: int) -> None:
    assert span(written) == span_or_zero(written) == seconds


@pytest.mark.parametrize("wrong", ["", "12", "h", "-1h", "1.5h", "1w", "1h30m", "1 h", "1234567890s", "1H", "soon"])
def test_anything_else_is_wrong_usage(wrong: str) -> None:
    for read in (span, span_or_zero):
        with pytest.raises(typer.BadParameter, match="is no span of time: 2h, 90d"):
            read(wrong)


def test_zero_alone_is_a_span_only_where_nothing_may_be_meant() -> None:
    assert span_or_zero("0") == span_or_zero(" 0 ") == 0
    with pytest.raises(typer.BadParameter):
        span("0")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(45, "45s"), (60, "1m"), (5400, "90m"), (3600, "1h"), (129600, "36h"), (86400, "1d"), (34560000, "400d")],
)
def test_a_span_is_shown_in_the_largest_unit_that_is_whole(seconds: int, shown: str) -> None:
    assert span_shown(seconds) == shown
    assert span(shown) == seconds


def test_deadlines_are_read_as_people_write_them() -> None:
    now = datetime.now(UTC)
    assert timedelta(minutes=44) < moment("45m") - now < timedelta(minutes=46)
    assert timedelta(hours=47) < moment("2d") - now < timedelta(hours=49)
    assert moment("2026-12-24T18:00:00+01:00") == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert moment("2026-12-24T18:00").tzinfo is not None
    with pytest.raises(typer.BadParameter):
        moment("45 minutes")
