"""Large imports: nothing is collected meanwhile, what they leave is let alone, all else is collected again."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from headshots.processes.imports import importing


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


class Library:
    """What an import leaves."""


def test_nothing_is_collected_while_importing_and_all_else_is_afterwards() -> None:
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_an_import_leaves_is_not_looked_at_again() -> None:
    with importing():
        library = Library()
    assert not any(found is library for found in gc.get_objects())
    later = Library()
    assert any(found is later for found in gc.get_objects())


def test_an_import_that_fails_leaves_the_collector_on() -> None:
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with importing():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
