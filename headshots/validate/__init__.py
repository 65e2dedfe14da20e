"""The vocabulary of the contract's rules, `buf/validate/validate.proto`, which all generated messages need.

A process can register that file once. So where the environment has the generated code of it as `buf.validate`, as
programs with protos of their own often do, that is taken; else ours, which is a module of this package and no `buf` at
the top of anybody's site-packages (docs/decisions/0048).
"""

from __future__ import annotations

try:
    from buf.validate import validate_pb2
except ImportError:  # also where a folder of that name holds no more than byte code of an earlier version
    from headshots.validate import validate_pb2

__all__ = ["validate_pb2"]
