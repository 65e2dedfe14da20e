"""Subjects expire on PostgreSQL too: leased, hidden, erased, and found by the index alone."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import open_database, read
from services.gateway.retention.rows import due_query
from tests.integration.deploy.test_postgres import engine, everybody_opens_it, server, url  # noqa: F401
from tests.integration.gateway.conftest import world  # noqa: F401
from tests.integration.gateway.retention.test_retention import (  # noqa: F401
    test_a_delivered_gallery_moves_it,
    test_a_hold_stops_the_clock_and_deletion_but_no_withdrawal,
    test_a_subject_tells_its_time_and_is_extended,
    test_a_waiting_training_and_shot_do_not_begin,
    test_past_its_time_nothing_can_be_done_with_it,
    test_what_runs_is_stopped_and_all_is_erased_without_a_call,
)
from tests.support.deploy import postgres
from tests.unit.gateway.subjects.test_eraser import (  # noqa: F401
    test_what_an_older_gateway_left_of_an_erased_subject_goes_with_its_row,
)
from tests.unit.gateway.subjects.test_expiring import (  # noqa: F401
    test_a_clock_that_jumps_ahead_erases_nobody_for_an_hour,
    test_a_gateway_that_lost_its_lease_hides_nobody,
    test_a_gateway_that_runs_finds_subjects_without_a_time,
    test_one_that_was_deleted_meanwhile_is_not_counted,
    test_what_is_due_is_erased_and_counted_once,
    test_what_was_extended_since_it_was_leased_stays,
)
from tests.unit.test_migrations import check_subjects_of_before_retention

pytestmark = postgres.needed


def test_subjects_of_before_retention_are_kept_for_thirty_days_from_then_on(server: str) -> None:  # noqa: F811
    engine = open_database(postgres.fresh_database(server))  # noqa: F811
    try:
        check_subjects_of_before_retention(engine)
    finally:
        engine.dispose()


def test_a_sweep_searches_the_index_by_the_clock(engine: Engine) -> None:  # noqa: F811
    with read(engine) as connection:
        # A table without rows would be read through.
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        statement = due_query(connection).compile(connection, compile_kwargs={"literal_binds": True})
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}").scalars())
    assert "ix_retentions_expires_at_id" in plan
    assert "Index Cond: (expires_at <=" in plan
