"""The bank: one row is written, by a view on the bank's own memory, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.diffusion.backends.bank import Bank

SLOTS, ROW = 5, 33


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_only_the_row_changes(dtype: type[np.floating]) -> None:  # type: ignore[type-arg]
    bank = Bank(SLOTS, ROW, dtype)
    expected = np.zeros((SLOTS, ROW), dtype)
    assert np.array_equal(bank.value_SP.numpy(), expected)
    address = bank.value_SP.data_ptr()
    random = np.random.default_rng(0)
    for slot in (3, 1, 3, 4, 1):
        row = random.standard_normal(ROW, dtype=np.float32)
        bank.write(slot, row)
        expected[slot] = row.astype(dtype)
        assert np.array_equal(bank.value_SP.numpy(), expected)
    bank.write(3, None)
    expected[3] = 0
    assert np.array_equal(bank.value_SP.numpy(), expected)
    assert bank.value_SP.data_ptr() == address, "graphs that are bound to it see every write"
    assert bank.nbytes == expected.nbytes


def test_rows_may_lie_anywhere_in_memory() -> None:
    bank = Bank(SLOTS, ROW, np.float32)
    table = np.arange(ROW * 4, dtype=np.float64).reshape(ROW, 4)
    bank.write(2, table[:, 1])
    assert np.array_equal(bank.value_SP.numpy()[2], table[:, 1])


def test_a_bank_that_is_dropped_takes_its_views_along() -> None:
    """The views own nothing: no memory is freed twice, whichever goes first."""
    for _ in range(100):
        bank = Bank(3, 7, np.float32)
        views = list(bank._views)
        bank.write(1, np.ones(7, np.float32))
        del bank
        del views
