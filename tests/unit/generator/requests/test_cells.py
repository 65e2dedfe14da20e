"""Which latent cells are repainted under a mask."""

from __future__ import annotations

import numpy as np
import pytest

from headshots.errors import InvalidArgumentError
from services.generator.requests.preparing import mask_cells


def test_a_cell_goes_by_its_first_pixel_and_under_a_soft_mask_by_its_lightest() -> None:
    mask = np.zeros((16, 16), np.uint8)
    mask[0, 0], mask[15, 15], mask[3, 12] = 255, 128, 127
    assert mask_cells(mask, 8, soft=False).tolist() == [[1, 0], [0, 0]]
    assert mask_cells(mask, 8, soft=True).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("soft", [False, True])
def test_a_mask_that_keeps_every_cell_is_refused(soft: bool) -> None:
    with pytest.raises(InvalidArgumentError, match="nothing is left to paint"):
        mask_cells(np.full((16, 16), 100, np.uint8), 8, soft=soft)
