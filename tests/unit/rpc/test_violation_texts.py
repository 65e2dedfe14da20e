"""Limits of times are told in days or hours too, and no other number is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from headshots.errors import InvalidArgumentError
from headshots.rpc.validation import validate_message
from headshots.rpc.violation_texts import described
from headshots.v1 import subjects_pb2
from headshots.validate import validate_pb2


def told(field: str, limit: int) -> str:
    """What is said of a field whose limit is exceeded."""
    path = validate_pb2.FieldPath(elements=[validate_pb2.FieldPathElement(field_name=field)])
    message = f"must be less than or equal to {limit}"
    proto = validate_pb2.Violation(rule_id="int32.lte", message=message, field=path)
    return described(SimpleNamespace(proto=proto, field_value=limit + 1, rule_value=limit))


@pytest.mark.parametrize(
    ("field", "limit", "end"),
    [
        ("valid_seconds", 604_800, "604800 (7 days)"),
        ("valid_seconds", 86_400, "86400 (a day)"),
        ("valid_seconds", 7_200, "7200 (2 hours)"),
        ("valid_seconds", 3_600, "3600 (an hour)"),
        ("valid_seconds", 5_000, "5000"),
        ("width_px", 7_200, "7200"),
        ("size_bytes", 86_400_000, "86400000"),
        ("seconds_px", 86_400, "86400"),
    ],
)
def test_a_limit_is_told_in_days_or_hours_where_the_field_is_in_seconds(field: str, limit: int, end: str) -> None:
    assert told(field, limit) == f"must be less than or equal to {end}"


def test_the_contracts_own_limits_are_told_so() -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        validate_message(subjects_pb2.CreateSubjectRequest(retention_seconds=2**31 - 1))
    assert "34560000 (400 days)" in refused.value.violations[0].description
