"""Receipts of erasures on PostgreSQL: counted once and signed once, with its locks and clocks."""

from __future__ import annotations

from tests.integration.deploy.test_postgres import engine, everybody_opens_it, url  # noqa: F401
from tests.integration.gateway.conftest import world  # noqa: F401
from tests.integration.gateway.erasures.test_receipts import (  # noqa: F401
    quick,
    test_a_picture_that_is_painted_twice_is_committed_to_once,
    test_a_receipt_says_what_was_erased_and_nothing_of_whom,
    test_backups_are_waited_for_as_the_operator_states,
    test_one_that_an_older_gateway_has_ended_has_a_receipt_too,
    test_receipts_of_a_tenant_are_a_chain_and_a_subjects_is_found_by_what_was_noted,
    test_the_trigger_is_told,
    test_what_an_older_gateway_does_is_told_as_an_exception,
    test_what_is_deleted_alone_takes_its_commitment_with_it,
)
from tests.support.deploy import postgres
from tests.unit.gateway.erasures.conftest import place, store  # noqa: F401
from tests.unit.gateway.erasures.test_copying import (  # noqa: F401
    test_copies_that_are_gone_are_written_again,
    test_receipts_of_before_there_were_copies_are_copied,
)
from tests.unit.gateway.erasures.test_issuing import (  # noqa: F401
    test_commitments_are_of_what_was_stored,
    test_generators_that_confirmed_and_those_that_were_silent_are_told,
    test_killed_at_every_step_it_has_one_receipt_that_counts_once,
    test_what_comes_late_is_counted_too,
    test_whoever_comes_after_it_is_signed_signs_nothing,
)
from tests.unit.gateway.erasures.test_issuing_at_once import (  # noqa: F401
    test_gateways_that_erase_the_same_subjects_at_once_leave_one_receipt_each,
    test_of_two_subjects_that_are_signed_at_once_one_follows_the_other,
    test_who_completes_an_erasure_locks_the_subject_before_its_record,
)
from tests.unit.gateway.erasures.test_others import (  # noqa: F401
    test_a_second_receipt_of_one_erasure_is_named_and_its_number_is_not_given_again,
    test_two_receipts_of_one_number_are_named_and_both_stay,
)
from tests.unit.gateway.erasures.test_restoring import (  # noqa: F401
    test_an_erasure_that_the_backup_had_begun_is_done_again_as_another,
    test_each_tenants_come_back_by_themselves_and_those_of_an_unknown_one_are_named,
    test_killed_at_every_step_each_receipt_is_copied_and_comes_back_once,
    test_receipts_come_back_as_they_were_and_the_next_follows_them,
    test_several_gateways_bring_receipts_back_at_once,
)

pytestmark = postgres.needed
