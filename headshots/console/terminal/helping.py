"""Writes the help of commands and their errors of usage, in lines that break between words at any width."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from headshots.console.terminal.colours import styled
from headshots.console.terminal.lines import PROSE_WIDTH, beside, cells, filled, fitted, room
from headshots.console.terminal.parameters import running

_MARGIN, _GAP = "  ", "  "
# A longer name has its help below it, so that the help of the others has room.
_WIDEST_NAME = 28
_NARROWEST_HELP = 30
# Of help, which is prose: longer lines are hard to read.
_WIDEST = 100


def described(instance: typer.Typer) -> None:
    """Makes this module write the help of all commands and groups of an app, also of those that it was given."""
    instance.info.cls = Group
    for command in instance.registered_commands:
        command.cls = Command
    for group in instance.registered_groups:
        if group.typer_instance is not None:
            described(group.typer_instance)


class Command(TyperCommand):
    """A command with our help, whose errors name its own options."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes its help into the formatter."""
        formatter.write(help_of(self, ctx))

    def invoke(self, ctx: Any) -> Any:
        """As that of the base; errors are told in the words of this command's options."""
        with running(self.params, ctx.params):
            return super().invoke(ctx)


class Group(TyperGroup):
    """A group of commands with our help; the one at the root tells errors of usage."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes its help into the formatter."""
        formatter.write(help_of(self, ctx))

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """As that of the base, with our words where the arguments are wrong."""
        with _usage_errors(is_root=parent is None):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """As that of the base, with our words where the arguments of a command are wrong."""
        with _usage_errors(is_root=ctx.parent is None):
            return super().invoke(ctx)


@contextlib.contextmanager
def _usage_errors(*, is_root: bool) -> Iterator[None]:
    """Write what is wrong in the arguments to stderr.

    Raises:
        typer.Exit: with the error's code.
    """
    try:
        yield
    except Exception as error:
        # The class of these errors is none that typer shows; they alone have a message for people.
        if not is_root or not hasattr(error, "format_message"):
            raise
        typer.echo(usage_error(error), err=True)
        raise typer.Exit(getattr(error, "exit_code", 2)) from error


def usage_error(error: Any) -> str:
    """How to use the command, and what is wrong, for stderr. A group without a command tells its help."""
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        return help_of(context.command, context).rstrip("\n")
    lines = []
    if context is not None:
        path = context.command_path
        lines += [fitted(context.command.get_usage(context), err=True)]
        lines += [fitted(f"`{path} --help` tells of every option.", err=True), ""]
    told = fitted(f"error: {error.format_message()}", err=True)
    return "\n".join([*lines, styled("error", "red", bold=True, err=True) + told.removeprefix("error")])


def help_of(command: Any, context: Any) -> str:
    """What a command does, its arguments and options, or the commands of a group; each with its help beside it."""
    width = min(room() or PROSE_WIDTH, _WIDEST)
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [filled(usage, width, f"Usage: {context.command_path} ", " " * 7)]
    parts += _paragraphs(command.help or "", width)
    rows: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in command.get_params(context):
        if (record := parameter.get_help_record(context)) is not None:
            kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
            rows[kind].append((record[0].strip(), record[1]))
    rows["Commands"] = _commands(command, context)
    parts += [_section(title, listed, width) for title, listed in rows.items() if listed]
    parts += _paragraphs(command.epilog or "", width)
    return "\n\n".join(parts) + "\n"


def _commands(command: Any, context: Any) -> list[tuple[str, str]]:
    if not isinstance(command, TyperGroup):
        return []
    found = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [(name, _first_line(each.help or "")) for name, each in found if each is not None and not each.hidden]


def _first_line(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())


def _paragraphs(text: str, width: int) -> list[str]:
    return [filled(each, width) for each in text.split("\n\n") if each.strip()]


def _section(title: str, rows: Sequence[tuple[str, str]], width: int) -> str:
    limit = min(_WIDEST_NAME, max(8, width - _NARROWEST_HELP))
    column = max((cells(name) for name, _ in rows if cells(name) <= limit), default=limit)
    margin = f"{_MARGIN}{' ' * column}{_GAP}"
    lines = [styled(title, "bright_white", bold=True)]
    for name, told in rows:
        if cells(name) <= limit:
            text = beside(f"{_MARGIN}{name}{' ' * (column - cells(name))}{_GAP}", told, width)
        else:
            text = "\n".join(filter(None, (filled(name, width, _MARGIN, _MARGIN * 2), beside(margin, told, width))))
        # Coloured at the end: what colours are made of has no width.
        first, break_, rest = text.partition("\n")
        lines.append(first.replace(name, styled(name, "cyan"), 1) + break_ + rest)
    return "\n".join(lines)
