"""Reads which pools the operator declares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from headshots.errors import InvalidArgumentError
from headshots.schema import MAIN_POOL

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ADDRESS = re.compile(r"(?:dns:(?:///)?)?(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):([1-9][0-9]{0,4})", re.ASCII)
_MOST_PORT = 2**16 - 1
_FORM = "NAME=TRAINERS,GENERATORS as in v2=trainer-v2:50052,generator-v2:50053, several separated by spaces"


@dataclass(frozen=True)
class DeclaredPool:
    """Where the trainers and the generators of a pool are, as host:port."""

    name: str
    trainer_address: str
    generator_address: str


def declared_pools(main: DeclaredPool, text: str) -> tuple[DeclaredPool, ...]:
    """`main`, and those of HEADSHOTS_GATEWAY_POOLS in their order.

    Raises:
        InvalidArgumentError: SETTING_INVALID; the text has another form, or a name or an address is there twice.
    """
    pools = [main, *map(_parse, text.split())]
    if len(pools) == 1:
        return (main,)
    for what, found in (
        ("the name", [pool.name for pool in pools]),
        ("the address", [each for pool in pools for each in (pool.trainer_address, pool.generator_address)]),
    ):
        if twice := _first_repeated(found):
            raise _invalid(text, f"{what} {twice} is there twice; {MAIN_POOL} is the pool of *_ADDRESS")
    return tuple(pools)


def check_default_pool(name: str, pools: Iterable[DeclaredPool]) -> None:
    """Refuses a default pool that is not declared.

    Raises:
        InvalidArgumentError: SETTING_INVALID.
    """
    names = [pool.name for pool in pools]
    if name not in names:
        why = f"is no pool; there are {', '.join(names)} (HEADSHOTS_GATEWAY_POOLS declares more)"
        raise InvalidArgumentError("SETTING_INVALID", f"HEADSHOTS_GATEWAY_DEFAULT_POOL={name!r} {why}")


def _parse(entry: str) -> DeclaredPool:
    name, is_named, addresses = entry.partition("=")
    trainer, comma, generator = addresses.partition(",")
    if not (is_named and comma and trainer and generator) or "," in generator or "=" in addresses:
        raise _invalid(entry, f"write {_FORM}")
    if not _NAME.fullmatch(name):
        raise _invalid(entry, f"{name!r} is no name: up to 32 lower-case letters, digits and hyphens, a letter first")
    for address in (trainer, generator):
        found = _ADDRESS.fullmatch(address)
        if found is None or int(found[1]) > _MOST_PORT:
            raise _invalid(entry, f"{address!r} is no host:port")
    return DeclaredPool(name, trainer, generator)


def _first_repeated(values: list[str]) -> str | None:
    return next((value for number, value in enumerate(values) if value in values[:number]), None)


def _invalid(text: str, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("SETTING_INVALID", f"HEADSHOTS_GATEWAY_POOLS={text!r}: {why}")
