"""What dlib writes is read back, and what it does not write is refused."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.faces.people.installing.dat import DatError, DatReader, encoded
from tests.support.faces import dlib_files


@pytest.mark.parametrize("value", [0, 1, -1, 127, 128, -255, 256, 22_466_066, -(2**40), 2**63 - 1])
def test_integers(value: int) -> None:
    reader = DatReader(encoded(value) + b"\x01\x07")
    assert (reader.integer(), reader.integer(), reader.rest) == (value, 7, 0)


def test_an_integer_is_a_count_and_bytes_lowest_first() -> None:
    assert DatReader(b"\x02\x34\x12").integer() == 0x1234
    assert DatReader(b"\x81\x05").integer() == -5


@pytest.mark.parametrize("value", [0.0, 1.0, -0.5, 0.2134981, -1234.5, 2.0**-40])
def test_floats(value: float) -> None:
    reader = DatReader(dlib_files.real(0.75) + dlib_files.real(value) + b"\x01\x07")
    assert reader.reals(2) == pytest.approx([0.75, value], rel=1e-7)
    assert reader.integer() == 7


def test_vectors_and_columns() -> None:
    data = dlib_files.vector([encoded(value) for value in (3, 1, 4)]) + dlib_files.column([0.5, -2.0])
    reader = DatReader(data)
    assert reader.vector(reader.integer) == [3, 1, 4]
    assert reader.column() == [0.5, -2.0]
    assert reader.rest == 0


def test_a_tensor_is_found_after_names_and_settings() -> None:
    values = np.arange(6, dtype=np.float32) - 2.5
    reader = DatReader(b"\x01\x09fc_2 and more" + dlib_files.tensor(values, 2, 3) + b"\x01\x07")
    assert reader.tensor(2, 3).tolist() == values.tolist()
    assert reader.integer() == 7


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x09" + bytes(9), b"\x71\x01", b"\x02\x01"])
def test_what_is_no_integer_is_refused(data: bytes) -> None:
    with pytest.raises(DatError):
        DatReader(data).integer()


def test_a_length_beyond_the_file_is_refused_before_it_is_read() -> None:
    reader = DatReader(encoded(2**40) + b"\x01\x01")
    with pytest.raises(DatError, match="no length"):
        reader.vector(reader.integer)
    with pytest.raises(DatError, match="no column"):
        DatReader(encoded(-(2**40)) + encoded(-1)).column()


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DatError, match="finite"):
        DatReader(encoded(1) + encoded(32_000)).reals(1)
    with pytest.raises(DatError, match="finite"):
        DatReader(dlib_files.tensor(np.array([1, np.nan]), 2)).tensor(2)


@pytest.mark.parametrize("data", [b"", b"\x01\x01", b"\x01\x01\x03\x01"])
def test_floats_that_are_cut_off_are_refused(data: bytes) -> None:
    with pytest.raises(DatError):
        DatReader(data).reals(1)


@pytest.mark.parametrize(
    "data",
    [
        dlib_files.tensor(np.ones(6), 3, 2),
        dlib_files.tensor(np.ones(6), 2, 3)[:-1],
        bytes(2000) + dlib_files.tensor(np.ones(6), 2, 3),
    ],
    ids=["other sizes", "cut off", "too far away"],
)
def test_another_tensor_is_refused(data: bytes) -> None:
    with pytest.raises(DatError, match="no tensor of 2x3x1x1"):
        DatReader(data).tensor(2, 3)
