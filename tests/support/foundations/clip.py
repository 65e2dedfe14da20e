"""Brings the package that carries CLIP's vocabulary, once for all tests of this checkout."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from headshots.diffusion.importing.single_file.vocabulary import PACKAGE
from headshots.diffusion.publish import exclusive
from headshots.errors import FailedPreconditionError
from headshots.packages import bring, find_links
from tests.support.faces.installed import give_up
from tests.support.paths import ROOT

_CACHE = ROOT / ".pytest_cache" / "packages"


def clip_links() -> Path:
    """A folder that has the package; the test is skipped where no index can be reached."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with exclusive(_CACHE / PACKAGE.file), tempfile.TemporaryDirectory() as work:
        try:
            path = bring(PACKAGE, [_CACHE, *find_links(os.environ)], Path(work), os.environ)
        except FailedPreconditionError as error:
            give_up(error)
        if path.parent != _CACHE:
            shutil.copy(path, _CACHE)
    return _CACHE
