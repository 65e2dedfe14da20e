"""Subjects expire on PostgreSQL too: leased, hidden, erased, and found by the index alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import open_database, read
from services.gateway.retention import rows, terms
from tests.integration.deploy.test_postgres import engine, everybody_opens_it, url  # noqa: F401
from tests.integration.gateway.conftest import world  # noqa: F401
from tests.integration.gateway.retention.test_retention import (  # noqa: F401
    test_a_delivered_gallery_moves_it,
    test_a_hold_stops_the_clock_and_deletion_but_no_withdrawal,
    test_a_subject_tells_its_time_and_is_extended,
    test_a_waiting_training_and_shot_do_not_begin,
    test_past_its_time_nothing_can_be_done_with_it,
    test_what_runs_is_stopped_and_all_is_erased_without_a_call,
)
from tests.integration.gateway.retention.test_terms import (  # noqa: F401
    test_a_photo_tells_its_time_after_a_delivery,
    test_an_adapter_goes_and_its_training_and_subject_stay,
    test_images_go_and_their_gallery_and_subject_stay,
    test_photos_go_with_the_adapter_and_what_needs_them_says_so,
    test_those_that_end_soon_are_listed_the_first_first,
)
from tests.support.deploy import postgres
from tests.unit.gateway.subjects.test_eraser import (  # noqa: F401
    test_a_clock_that_was_ahead_keeps_no_erasure_unsigned,
    test_what_an_older_gateway_left_of_an_erased_subject_goes_with_its_row,
)
from tests.unit.gateway.subjects.test_expiring import (  # noqa: F401
    test_a_clock_that_jumps_ahead_erases_nobody_for_an_hour,
    test_a_gateway_that_lost_its_lease_hides_nobody,
    test_a_gateway_that_runs_finds_subjects_without_a_time,
    test_a_store_that_refuses_is_asked_again_and_told_of,
    test_one_that_was_deleted_meanwhile_is_not_counted,
    test_what_is_due_is_erased_and_counted_once,
    test_what_was_extended_since_it_was_leased_stays,
)
from tests.unit.test_migrations import check_subjects_of_before_retention

pytestmark = postgres.needed


def test_subjects_of_before_retention_are_kept_for_thirty_days_from_then_on(postgres_server: str) -> None:
    engine = open_database(postgres.fresh_database(postgres_server))  # noqa: F811
    try:
        check_subjects_of_before_retention(engine)
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("query", "index"),
    [(rows.due_query, "ix_retentions_expires_at_id"), (terms.due_query, "ix_terms_expires_at_id")],
    ids=["subjects", "parts"],
)
def test_a_sweep_searches_the_index_by_the_clock(
    query: Callable[[Connection], sa.Select[Any]],
    index: str,
    engine: Engine,  # noqa: F811
) -> None:
    with read(engine) as connection:
        # A table without rows would be read through.
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        statement = query(connection).compile(connection, compile_kwargs={"literal_binds": True})
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}").scalars())
    assert index in plan
    assert "Index Cond: (expires_at <=" in plan
