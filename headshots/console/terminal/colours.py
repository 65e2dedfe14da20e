"""Colours words on a terminal. Whatever a colour says stands in words too: pipes and NO_COLOR have none."""

from __future__ import annotations

import typer

# Words that tell how something ended, as people read them and as the contract has them.
_MEANINGS = {
    "green": ("accepted", "met", "succeeded", "passed", "usable"),
    "red": ("refused", "not met", "failed", "not passed"),
    "yellow": ("not measured", "not judged", "cancelled", "cancelling"),
}
_COLOURS = {word: colour for colour, words in _MEANINGS.items() for word in words}


def coloured(*, err: bool = False) -> bool:
    """Whether stdout, or stderr, takes colours: it is a terminal that has some, and NO_COLOR is not set."""
    from rich.console import Console

    console = Console(stderr=err)
    return console.is_terminal and console.color_system is not None and not console.no_color


def styled(text: str, colour: str, *, bold: bool = False, err: bool = False) -> str:
    """The text in that colour, which may be none, where stdout, or stderr, takes colours."""
    return typer.style(text, fg=colour or None, bold=bold or None) if coloured(err=err) else text


def colour_of(words: str) -> str:
    """The colour of words that tell how something ended: green, red, yellow; empty where they tell nothing of it."""
    return _COLOURS.get(words.strip().lower().replace("_", " "), "")


def judged(text: str, words: str, *, err: bool = False) -> str:
    """The text in the colour of the words, where they tell how something ended and colours are taken."""
    colour = colour_of(words)
    return styled(text, colour, err=err) if colour else text
