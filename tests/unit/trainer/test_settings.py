"""Settings of the trainer that make no sense are refused at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.errors import InvalidArgumentError
from services.trainer.settings import TrainerSettings


@pytest.mark.parametrize("seconds", ["0", "1801"])
def test_a_lease_is_no_longer_than_a_jumped_clocks_times_are_told_by(tmp_path: Path, seconds: str) -> None:
    environ = {"HEADSHOTS_HOME": str(tmp_path), "HEADSHOTS_TRAINER_DEVICE": "cpu"}
    TrainerSettings.from_environment({**environ, "HEADSHOTS_TRAINER_LEASE_SECONDS": "1800"})
    with pytest.raises(InvalidArgumentError, match="HEADSHOTS_TRAINER_LEASE_SECONDS"):
        TrainerSettings.from_environment({**environ, "HEADSHOTS_TRAINER_LEASE_SECONDS": seconds})
