"""How a shoot ended is told in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from headshots.client.convert.shoots import shoot as to_shoot
from headshots.console.shoots import next_step, turnaround_line
from headshots.v1 import galleries_pb2, jobs_pb2, shoots_pb2


def test_a_shoot_that_was_late_says_so() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    shoot = shoots_pb2.Shoot(state=jobs_pb2.JOB_STATE_SUCCEEDED, stage=shoots_pb2.SHOOT_STAGE_ENDED)
    shoot.create_time.FromDatetime(begun)
    shoot.end_time.FromDatetime(begun + timedelta(minutes=5))
    shoot.deadline.FromDatetime(begun + timedelta(minutes=3))
    assert turnaround_line(to_shoot(shoot)).startswith("took 5 min, 2 min after the deadline")


def test_why_tries_were_not_made_is_told_in_place_of_what_to_try() -> None:
    failure = jobs_pb2.Failure(reason="CONSENT_EXPIRED", message="it ended")
    shoot = shoots_pb2.Shoot(state=jobs_pb2.JOB_STATE_SUCCEEDED, stage=shoots_pb2.SHOOT_STAGE_ENDED)
    shoot.guarantee = galleries_pb2.GUARANTEE_NOT_MET
    assert "--max-tries" in next_step(to_shoot(shoot), [])
    shoot.failure.CopyFrom(failure)
    assert next_step(to_shoot(shoot), []) == "not all tries were made: CONSENT_EXPIRED: it ended"
