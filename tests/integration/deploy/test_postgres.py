"""What runs on SQLite by default runs on PostgreSQL too: the tests of the queues, of the trainer's worker, of erasing,
of galleries, of shoots, of styles, of labels and of the audit log again, on a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from headshots import idle_connections
from headshots.database import look, migrate, open_database, read, write
from headshots.schema import metadata
from services.gateway.galleries.queue import locking
from tests.integration.gateway.audit.test_chain import (  # noqa: F401
    test_it_is_whole_whoever_writes_and_links_at_once,
)
from tests.integration.gateway.audit.test_listing import (  # noqa: F401
    test_a_list_is_of_a_time,
    test_events_outlive_their_subject_until_their_own_term,
)
from tests.integration.gateway.conftest import world  # noqa: F401
from tests.integration.gateway.galleries.test_creating import (  # noqa: F401
    test_pages_are_newest_first_and_without_images,
)
from tests.integration.gateway.packs.test_own_packs import (  # noqa: F401
    test_a_new_version_is_what_shoots_take_and_leaves_older_ones_alone,
    test_archiving_beside_changes_leaves_no_version_in_use,
    test_packs_are_listed_among_the_built_in_ones_by_name,
)
from tests.integration.gateway.painting.conftest import subject  # noqa: F401
from tests.integration.gateway.painting.test_lost_gateways import (  # noqa: F401
    test_a_draining_gateway_puts_its_shots_back_uncounted,
    test_a_gateway_killed_in_mid_gallery_finishes_it_after_a_restart,
    test_a_shot_that_ends_every_gateway_is_found_and_the_others_are_painted,
    test_two_gateways_share_a_gallery,
)
from tests.integration.gateway.painting.test_near_duplicates import (  # noqa: F401
    test_what_replaced_an_erased_replacement_still_knows_those_it_joins,
)
from tests.integration.gateway.painting.test_painting import (  # noqa: F401
    test_a_gallery_is_painted_from_styles_and_seeds,
)
from tests.integration.gateway.styles.test_own_styles import (  # noqa: F401
    test_a_new_version_leaves_galleries_and_older_versions_alone,
    test_styles_are_listed_among_the_built_in_ones_by_name,
    test_two_changes_at_once_make_two_versions,
)
from tests.integration.gateway.test_labels import (  # noqa: F401
    test_a_value_is_text_whatever_it_looks_like,
    test_pages_hold_with_a_filter,
    test_the_largest_labels_are_kept,
    test_what_is_written_on_a_resource_is_answered_and_found,
)
from tests.integration.gateway.trainings.test_events import (  # noqa: F401
    name,
    test_a_deleted_subject_leaves_no_events,
    test_a_gateway_killed_between_two_events_loses_and_repeats_none,
    test_a_watch_resumes_after_any_event,
)
from tests.support.deploy import postgres
from tests.support.gateway.queue import take
from tests.unit.gateway.galleries.test_fences import (  # noqa: F401
    test_after_another_has_claimed_it_an_old_write_changes_nothing,
)
from tests.unit.gateway.galleries.test_losses import (  # noqa: F401
    person,
    test_a_shot_that_two_were_lost_with_is_held_alone,
    test_a_worker_that_takes_its_own_shot_again_was_not_lost,
    test_company_counts_from_the_claim_to_the_loss,
    test_two_different_workers_lost_with_it_and_nothing_else_convict_it,
)
from tests.unit.gateway.galleries.test_shots import (  # noqa: F401
    test_many_earlier_galleries_do_not_hold_up_another_tenants_first,
    test_one_shot_at_a_time_tenants_alternate,
)
from tests.unit.gateway.galleries.test_statements import (  # noqa: F401
    test_a_gallery_starts_with_its_first_shot_whoever_cancels_it_meanwhile,
    test_a_shot_takes_few_statements,
    test_images_that_are_known_are_left_out,
)
from tests.unit.gateway.galleries.test_tries import (  # noqa: F401
    SAME,
    acceptances,
    again,
    disliked,
    record,
    test_of_near_duplicates_that_are_recorded_at_once_one_is_accepted,
    test_of_near_duplicates_that_replace_images_of_one_gallery_at_once_one_is_accepted,
    test_replacements_of_replacements_are_compared_with_each_other,
)
from tests.unit.gateway.galleries.test_withheld import (  # noqa: F401
    test_shots_that_would_fail_by_a_clock_that_is_not_trusted_wait,
)
from tests.unit.gateway.shoots.test_advancing import (  # noqa: F401
    test_a_shoot_goes_through_its_stages,
    test_cancelling_beside_the_step_to_the_gallery_leaves_nothing_running,
    test_many_gateways_make_one_gallery,
)
from tests.unit.gateway.shoots.test_rates import (  # noqa: F401
    test_galleries_tell_their_time_from_their_first_shot_and_their_tries,
    test_the_queue_is_of_all_tenants,
)
from tests.unit.gateway.subjects.test_eraser import (  # noqa: F401
    test_a_deletion_that_the_store_refused_can_be_repeated,
    test_the_row_stays_for_a_last_look_until_the_grace_period_is_over,
)
from tests.unit.gateway.subjects.test_evicting import (  # noqa: F401
    test_a_gateway_that_starts_waits_for_no_generator,
    test_generators_are_asked_though_the_tombstones_are_older_than_the_end_of_an_erasure,
)
from tests.unit.gateway.subjects.test_looking_through import (  # noqa: F401
    test_objects_come_back_with_a_log_of_before_and_the_audit_log_knows,
    test_objects_of_an_erased_subject_without_a_row_are_removed_and_others_stay,
)
from tests.unit.gateway.subjects.test_replaying import (  # noqa: F401
    test_a_held_subject_that_came_back_is_erased_all_the_same,
    test_only_entries_since_the_mark_are_read_and_the_mark_moves,
    test_who_came_back_is_erased_before_anybody_is_served,
)
from tests.unit.gateway.test_high_places import (  # noqa: F401
    test_orders_at_once_do_not_take_the_same_places,
    test_trainings_and_what_shoots_will_paint_take_places_too,
    test_what_waits_and_runs_counts_and_what_has_ended_does_not,
)
from tests.unit.test_keys import test_a_tenant_may_be_made_by_several_at_once  # noqa: F401
from tests.unit.test_leases import (  # noqa: F401
    test_a_claimed_row_is_not_claimed_again,
    test_a_finished_row_takes_no_more_writes,
    test_an_expired_lease_can_be_renewed_until_another_worker_claims_it,
    test_an_expired_lease_passes_on_and_fences_the_first_owner_off,
    test_many_workers_share_the_rows_without_overlap,
    test_release_gives_the_row_back_with_the_fence_raised,
    test_renew_reports_a_wish_to_cancel,
)
from tests.unit.trainer.queue.test_fair_share import (  # noqa: F401
    test_a_hundred_jobs_of_one_tenant_do_not_delay_the_claim_of_anothers_first,
    test_high_priority_is_claimed_first_within_a_tenant_and_weighs_as_granted,
)
from tests.unit.trainer.queue.test_rows import test_a_job_may_be_inserted_by_several_at_once  # noqa: F401
from tests.unit.trainer.test_engine import (  # noqa: F401
    test_cancelling_a_waiting_job_is_done_when_the_call_returns,
    test_draining_hands_the_job_back_and_does_not_count_the_run,
    test_the_queue_position_is_told_and_changes,
)
from tests.unit.trainer.workers.test_worker import (  # noqa: F401
    test_a_lost_workers_job_is_taken_over_and_counted,
    test_a_successful_run_is_recorded,
)

pytestmark = postgres.needed


@pytest.fixture
def url(postgres_server: str) -> Iterator[str]:
    with postgres.migrated_database(postgres_server) as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def everybody_opens_it(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tests that are run again name SQLite files; whatever they name is the test's database here."""
    opened: list[Engine] = []
    connections: list[Any] = []

    def open_here(_url: str) -> Engine:
        # With the services' own pool: a connection for each statement is a process of the server for each, and what
        # that looks up anew took most of the time of these tests. A gateway that is killed disposes of its pool, so
        # that it leaves nothing open behind it, as a process that is killed would.
        engine = open_database(url)
        sa.event.listen(engine, "connect", lambda connection, _record: connections.append(connection))
        opened.append(engine)
        return engine

    for module in ("tests.support.gateway.world", "services.gateway.wiring", "tests.support.trainer.world"):
        monkeypatch.setattr(f"{module}.open_database", open_here)
    yield
    for each in opened:
        each.dispose()
    # What a thread had in use when its gateway was killed went back to a pool that nobody disposes of.
    for connection in connections:
        connection.close()


def test_what_replaces_an_image_too_and_is_accepted_while_locks_are_waited_for_is_compared_with(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = disliked(engine)
    one, late, lock, made = again(engine, image), take(engine, "late"), locking.lock, list[str]()

    def after_another(*values: Any) -> list[str]:
        if not made:
            made.append(again(engine, image))
            record(engine, take(engine, "quick"), SAME)
        return lock(*values)

    monkeypatch.setattr(locking, "lock", after_another)
    record(engine, late, SAME)
    assert acceptances(engine, *made, one) == ["accepted", "refused"]


def test_migrations_give_the_schema_that_the_code_uses(engine: Engine) -> None:
    assert engine.dialect.name == "postgresql"
    with read(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_reader_sees_one_state_throughout(engine: Engine) -> None:
    tenants = sa.select(metadata.tables["tenants"].c.id)
    with read(engine) as reader:
        assert reader.execute(tenants).all() == []
        with write(engine) as connection:
            connection.execute(sa.insert(metadata.tables["tenants"]).values(id="acme", created_at=0.0))
        assert reader.execute(tenants).all() == []
    with read(engine) as reader:
        assert reader.execute(tenants).all() == [("acme",)]


def test_a_look_opens_no_transaction_and_leaves_none_behind(engine: Engine) -> None:
    """Else each look would take three messages to the server instead of one."""
    with look(engine) as connection:
        connection.execute(sa.text("SELECT 1"))
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.info.transaction_status.name == "IDLE"
    for block, wanted in ((write, "read committed"), (read, "repeatable read")):
        with block(engine) as connection:
            assert connection.execute(sa.text("SHOW transaction_isolation")).scalar_one() == wanted
            assert connection.connection.driver_connection is driver, "the one given back last is taken first"
            assert driver.info.transaction_status.name == "INTRANS"


@pytest.mark.parametrize("is_in_doubt", [False, True])
def test_connections_that_ended_while_they_were_idle_are_replaced(
    url: str, monkeypatch: pytest.MonkeyPatch, *, is_in_doubt: bool
) -> None:
    """As after a failover: nobody is told that the database is away who asks once it is there again.

    Also not of connections that were just used, where something had failed before.
    """
    monkeypatch.setattr(idle_connections, "IDLE_SECONDS", 3600.0 if is_in_doubt else 0.0)
    engine, other = open_database(url), open_database(url)
    if is_in_doubt:
        with pytest.raises(DBAPIError), read(engine) as connection:
            connection.execute(sa.text("SELECT 1 / 0"))
    with read(engine) as first, read(engine) as second:
        pids = {one.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() for one in (first, second)}
    with read(other) as connection:
        for pid in pids:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": pid})
    for _ in pids:
        with read(engine) as connection:
            assert connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() not in pids
    engine.dispose()
    other.dispose()


def test_several_processes_may_migrate_at_once(postgres_server: str) -> None:
    url, failures = postgres.fresh_database(postgres_server), list[BaseException]()

    def start() -> None:
        engine = open_database(url)
        try:
            migrate(engine)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_programs_of_the_dev_dependency_run_where_the_system_has_none() -> None:
    with postgres.server(postgres.packaged()) as server_url:
        engine = open_database(postgres.fresh_database(server_url))
        migrate(engine)
        with read(engine) as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        engine.dispose()
