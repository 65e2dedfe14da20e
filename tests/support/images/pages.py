"""Makes pages of example data, and reads the HTML of pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from headshots.pages.models import Learning, Likeness, Measure, Outcome, Page, Picture, Portrait, Timing, Why

VOID = {"meta", "img", "line", "polyline", "rect"}
BLURRY = Why("Blurry", "The face has 12% of the photos' sharpness; 20% are needed.")


def shown(rank: int, **changes: Any) -> Portrait:
    """An accepted portrait of that rank; of rank 0 a refused one."""
    name = f"portraits/{rank:02d}-suit.png" if rank else "portraits/refused-09-suit.png"
    made = Portrait(
        picture=Picture(name, 128, 128, f"Portrait of Ada: Navy suit, rank {rank}"),
        title="Navy suit",
        outcome=Outcome.ACCEPTED if rank else Outcome.REFUSED,
        seed=40 + rank,
        rank=rank,
        likeness=Likeness(0.9 - rank / 100, needed=0.81, own=0.95),
        why=() if rank else (BLURRY,),
        tries=1 if rank else 3,
        prompt=f"photo of sks, suit {rank}",
        size_bytes=34_567,
    )
    return replace(made, **changes)


def page(ranks: Sequence[int] = (*range(1, 13), 0), **changes: Any) -> Page:
    """A page of twelve accepted portraits and a refused one."""
    made = Page(
        title="Ada",
        lead="13 portraits in 1 style.",
        facts=[Measure("Accepted", "12 of 13")],
        portraits=[shown(rank) for rank in ranks],
        selfies=[Picture(f"portraits/selfies/selfie-{number}.jpg", 144, 192, f"Selfie {number}") for number in (1, 2)],
        selfies_note="All that the training saw.",
        learning=Learning([(1, 0.9), (10, 0.5), (20, 0.45)], steps=20, photos=6, rank=8, chosen_step=10),
        timings=[Timing("training", 60.0), Timing("painting and judging", 30.0)],
        timing_note="90 seconds in all.",
        figures=[Measure("Peak memory", "1.8 GiB")],
        footer="Made by headshots.",
    )
    return replace(made, **changes)


class Document(HTMLParser):
    """Reads a page and holds every opened element against its end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.sheet = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a kind, in their order."""
        return [found for name, found in self.elements if name == tag]

    @property
    def links(self) -> list[str]:
        """Everything that a browser might fetch."""
        keys = ("src", "href", "srcset", "action", "data", "poster", "background", "xlink:href", "formaction")
        return [str(value) for _, found in self.elements for key, value in found.items() if key in keys]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.sheet += data
        elif self.open:
            self.text += data
