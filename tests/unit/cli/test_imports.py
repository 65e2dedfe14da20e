"""`headshots --help` is quick: it imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "torch",
    "numpy",
    "sqlalchemy",
    "PIL",
    "grpc",
    "google.protobuf",
    "onnxruntime",
    "obstore",
    "psutil",
    "rich.progress",
)


def test_help_and_usage_errors_import_nothing_heavy() -> None:
    program = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None
from headshots.cli.app import app
for arguments in (["--help"], ["--version"], ["train", "--help"], ["demo", "--help"], ["generate"]):
    try:
        app(arguments)
    except SystemExit as ending:
        assert ending.code in (0, 2), ending.code
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Exit codes:" in done.stdout
