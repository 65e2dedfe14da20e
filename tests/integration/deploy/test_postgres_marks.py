"""What watermarks stand for is kept, and forgotten with the images, on PostgreSQL too."""

from __future__ import annotations

from tests.integration.deploy.test_postgres import engine, everybody_opens_it, url  # noqa: F401
from tests.integration.gateway.conftest import world  # noqa: F401
from tests.integration.gateway.verification.test_verification import (  # noqa: F401
    marked,
    painted,
    test_a_picture_of_two_images_is_erased_with_the_last,
    test_what_is_erased_is_known_as_erased_and_nothing_else,
)
from tests.support.deploy import postgres

pytestmark = postgres.needed
