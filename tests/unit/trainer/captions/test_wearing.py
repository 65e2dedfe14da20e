"""Glasses and beards are named where a person's photos differ, in those that are sure; never where all agree."""

from __future__ import annotations

import pytest

from headshots.faces import Trait, Traits
from services.trainer.captions.wearing import what_is_worn


def photo(glasses: bool | None, beard: bool | None = None) -> Traits:
    return Traits(Trait(glasses, 9.0), Trait(beard, 9.0))


def test_what_differs_is_named_in_the_photos_that_are_sure() -> None:
    photos = [photo(True), photo(False), photo(None), None, photo(True, True), photo(None, False)]
    assert what_is_worn(photos) == ["wearing glasses", "", "", "", "wearing glasses, with a beard", ""]


@pytest.mark.parametrize("present", [True, False, None])
def test_what_all_photos_show_belongs_to_the_person(present: bool | None) -> None:
    photos = [photo(present, present), photo(None, None), None, photo(present, present)]
    assert what_is_worn(photos) == [""] * 4
