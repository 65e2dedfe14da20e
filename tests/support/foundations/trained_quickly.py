"""Makes tiny foundations whose trainings are short."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.support.foundations.engines import tiny_foundation


def make_foundation(folder: Path, **recipe: Any) -> Path:
    """The tiny foundation without class images; `recipe` changes more keys of its training recipe."""
    shutil.copytree(tiny_foundation(), folder)
    settings = yaml.safe_load((folder / "headshots.yaml").read_text())
    settings["training"] |= {"prior_rows": 0, **recipe}
    (folder / "headshots.yaml").write_text(yaml.safe_dump(settings))
    return folder
