"""The SDK needs gRPC and protobuf, and none of what the services need."""

from __future__ import annotations

import subprocess
import sys

BLOCKED = (
    "torch",
    "numpy",
    "sqlalchemy",
    "PIL",
    "onnxruntime",
    "protovalidate",
    "obstore",
    "prometheus_client",
    "yaml",
    "services",
    "foundry",
)


def test_client_imports_without_any_of_the_heavy_packages() -> None:
    program = f"""
import sys
for name in {BLOCKED!r}:
    sys.modules[name] = None
import headshots.client
client = headshots.client.Headshots("127.0.0.1:1", "hs_x")
client.close()
assert not [name for name in sys.modules if name.startswith("opentelemetry")], "traces are off"
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
