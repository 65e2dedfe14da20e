"""Lets the databases of all tests of a process share the statements that SQLAlchemy has compiled."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

# More than the services and tests have.
_STATEMENTS = 4000


class _Compiled(LRUCache[Any, Any]):
    """Statements by the class of their dialect instead of by the dialect, of which each engine has its own."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_class(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_of_class(key), value)


def _of_class(key: Any) -> Any:
    """SQLAlchemy's key of a compiled statement, a tuple that begins with the dialect."""
    dialect, *rest = key
    return (type(dialect), *rest)


def share_compiled_statements() -> None:
    """Every engine made from now on takes what another has compiled.

    A service compiles each statement once in its life. Nearly every test has a gateway and a database of its own,
    and compiling was a quarter of its CPU time.
    """
    make, compiled = sa.create_engine, _Compiled(_STATEMENTS)

    def create_engine(*args: Any, **kwargs: Any) -> Engine:
        engine = make(*args, **kwargs)
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    # Everybody calls it by this name.
    sa.create_engine = create_engine
