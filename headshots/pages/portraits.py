"""Shows portraits: the best ten large, the others small, those that are refused behind a fold; each can be enlarged.

To enlarge is the browser's own popover: no script, Escape closes it, and the focus goes back to where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from headshots.pages.html import image, link_to, section
from headshots.pages.models import Likeness, Outcome, Portrait
from headshots.pages.words import RANKS, bytes_in_words, likeness_scale

BEST = 10


def portraits(shown: Sequence[Portrait], elsewhere: str) -> str:
    """All portraits of a page, each in the part that it belongs to."""
    accepted = [each for each in shown if each.outcome is Outcome.ACCEPTED]
    unjudged = [each for each in shown if each.outcome is Outcome.NOT_JUDGED]
    refused = [each for each in shown if each.outcome is Outcome.REFUSED]
    best, more = accepted[:BEST], accepted[BEST:]
    numbers = {id(each): number for number, each in enumerate(shown, start=1)}
    title = f"The best {len(best)}" if more else "The best first"
    notes = " ".join(filter(None, (RANKS if len(best) > 1 else "", likeness_scale(shown))))
    return "".join(
        (
            section(title, _folded(notes) + _cards(best, numbers, "best") if best else "", name="portraits"),
            section("Also accepted", _cards(more, numbers, "more"), name="portraits"),
            section("Not judged", _cards(unjudged, numbers, "best"), _why_unjudged(unjudged), name="portraits"),
            _refused(refused, numbers),
            f'<p class="elsewhere">{escape(elsewhere)}</p>\n' if elsewhere else "",
            *(_enlarged(each, numbers[id(each)]) for each in shown),
        )
    )


def _folded(notes: str) -> str:
    """How to read what stands below, for those who want to know."""
    if not notes:
        return ""
    return f'<details class="notes"><summary>What ranks and likeness say</summary><p>{escape(notes)}</p></details>'


def _cards(shown: Sequence[Portrait], numbers: dict[int, int], kind: str) -> str:
    if not shown:
        return ""
    cards = "".join(_card(each, numbers[id(each)]) for each in shown)
    return f'<div class="cards {kind}">{cards}</div>'


def _card(portrait: Portrait, number: int) -> str:
    return (
        f'<figure class="card">{_button(portrait, number)}'
        f"<figcaption><strong>{escape(portrait.title)}</strong>{_badge(portrait)}{_likeness(portrait.likeness)}"
        f"{_download(portrait)}</figcaption></figure>"
    )


def _button(portrait: Portrait, number: int) -> str:
    """The picture, which opens a larger one; its rank lies on it."""
    rank = f'<b class="rank">{portrait.rank}</b>' if portrait.rank else ""
    inside = '<span class="hidden">not shown unless you open it</span>' if portrait.hidden else image(portrait.picture)
    label = escape(f"Enlarge: {portrait.picture.alt}")
    return f'<button class="open" popovertarget="portrait-{number}" aria-label="{label}">{inside}{rank}</button>'


def _badge(portrait: Portrait) -> str:
    words = {Outcome.ACCEPTED: "accepted", Outcome.REFUSED: "refused", Outcome.NOT_JUDGED: "not judged"}
    kind = portrait.outcome.value.replace(" ", "-")
    return f'<span class="badge {kind}">{words[portrait.outcome]}</span>'


def _likeness(likeness: Likeness | None) -> str:
    if likeness is None:
        return ""
    if likeness.needed is None:
        return f'<span class="likeness">likeness {likeness.value:.2f}</span>'
    said = f"likeness <b>{likeness.value:.2f}</b> <small>{likeness.needed:.2f} needed</small>"
    return f'<span class="likeness">{said}{_scale(likeness.value, likeness.needed)}</span>'


def _scale(value: float, needed: float) -> str:
    """A bar from as far below what is needed as 1 is above it; its mark is what is needed."""
    span = max(1.0 - needed, 0.01)
    share = min(max((value - needed + span) / (2 * span), 0.0), 1.0)
    kind = "enough" if value >= needed else "less"
    return (
        '<svg class="scale" height="6" aria-hidden="true"><rect class="track" width="100%" height="6" rx="3"/>'
        f'<rect class="{kind}" width="{100 * share:.1f}%" height="6" rx="3"/>'
        '<rect class="mark" x="50%" width="2" height="6"/></svg>'
    )


def _download(portrait: Portrait) -> str:
    name = escape(portrait.picture.name)
    return f'<a class="file" href="{link_to(portrait.picture)}" download="{name}" title="Download {name}">{name}</a>'


def _why_unjudged(shown: Sequence[Portrait]) -> str:
    return " ".join(dict.fromkeys(why.message for each in shown for why in each.why if why.message))


def _refused(shown: Sequence[Portrait], numbers: dict[int, int]) -> str:
    if not shown:
        return ""
    count = "One portrait is refused" if len(shown) == 1 else f"{len(shown)} portraits are refused"
    rows = "".join(_refused_row(each, numbers[id(each)]) for each in shown)
    return (
        f'<details class="refused"><summary>{count} <span>with the reasons</span></summary>'
        f'<ul class="rows">{rows}</ul></details>\n'
    )


def _refused_row(portrait: Portrait, number: int) -> str:
    tries = f"{portrait.tries} tries" if portrait.tries != 1 else "1 try"
    return (
        f"<li>{_button(portrait, number)}<div><strong>{escape(portrait.title)}</strong>{_badge(portrait)}"
        f'{_reasons(portrait)}<p class="small">Seed {portrait.seed}, the best of {tries}. {_download(portrait)}</p>'
        "</div></li>"
    )


def _reasons(portrait: Portrait) -> str:
    if not portrait.why:
        return ""
    items = "".join(f"<li><b>{escape(why.title)}.</b> {escape(why.message)}</li>" for why in portrait.why)
    return f'<ul class="reasons">{items}</ul>'


def _enlarged(portrait: Portrait, number: int) -> str:
    """The picture as large as the window lets it be, with all that is known of it."""
    picture, name = portrait.picture, f"portrait-{number}"
    rank = f"Rank {portrait.rank}: " if portrait.rank else ""
    facts = {
        "Likeness": _likeness_in_words(portrait.likeness),
        "Seed": f"{portrait.seed}" + (f", try {portrait.tries}" if portrait.tries > 1 else ""),
        "File": ", ".join(
            filter(None, (f"{picture.width_px} × {picture.height_px} px", bytes_in_words(portrait.size_bytes)))
        ),
        "Painted from": portrait.prompt,
    }
    rows = "".join(f"<dt>{key}</dt><dd>{escape(value)}</dd>" for key, value in facts.items() if value)
    return (
        f'<div class="large" id="{name}" popover role="dialog" aria-labelledby="{name}-title">'
        f'<button class="close" popovertarget="{name}" popovertargetaction="hide" aria-label="Close" autofocus>×'
        f"</button>{image(picture)}"
        f'<div class="about"><h3 id="{name}-title">{rank}{escape(portrait.title)}</h3>'
        f"{_badge(portrait)}{_reasons(portrait)}<dl>{rows}</dl>{_download(portrait)}</div></div>\n"
    )


def _likeness_in_words(likeness: Likeness | None) -> str:
    if likeness is None:
        return ""
    needed = f"; {likeness.needed:.2f} is needed" if likeness.needed is not None else ""
    own = f", the person's own photos reach {likeness.own:.2f} or more" if likeness.own is not None else ""
    return f"{likeness.value:.2f}{needed}{own}"
