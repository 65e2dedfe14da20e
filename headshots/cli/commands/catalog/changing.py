"""Defines what commands of the catalogue share: a change says what changes, a check says that nothing was kept."""

from __future__ import annotations

import typer

# Of updates, what says how and not what.
_OTHERS = ("validate_only", "address", "api_key", "tls_ca", "as_json")


def check_changes() -> None:
    """Go on only where an option of the running command says what changes.

    Raises:
        typer.BadParameter: none does; with all that do.
    """
    from headshots.console.terminal.parameters import options

    changes = {name: each for name, each in options().items() if name not in _OTHERS}
    if all(each.value in (None, [], ()) for each in changes.values()):
        told = " / ".join(each.shown for each in changes.values())
        raise typer.BadParameter("say what changes", param_hint=told)


def say_checked(*, as_json: bool, is_new: bool) -> None:
    """Say before what a check answers that it was one; of an update where not `is_new`. Not to scripts."""
    from headshots.console.output import say

    if not as_json:
        say(f"valid; nothing was {'made' if is_new else 'changed'}, --validate-only. It would be:\n")
