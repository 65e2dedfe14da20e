"""Holds the page's style sheet as a string, as the package has no data files, and sizes pictures by whole steps."""

from __future__ import annotations

from collections.abc import Iterable

SMALL_PX = 256
"""Pictures of this width and less are enlarged by whole steps, each pixel as a square: else they would be a blur."""
_BEST_PX, _MORE_PX, _PHONE_PX, _TEAM_PHONE_PX = 256, 168, 150, 105
_LARGE_STEPS = 4
"""Enlarged further, a small picture is squares alone."""

_BASE = """
:root {
  color-scheme: light dark;
  --paper: #f6f4ef; --card: #fff; --ink: #1b1d21; --soft: #5f636b; --line: #dedad1; --accent: #2f5d8a;
  --back: #eceae4;
  --good: #1f6b3d; --good-back: #dff1e5; --bad: #9a3324; --bad-back: #f8e2dd; --plain-back: #e8e8ea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121316; --card: #1c1e22; --ink: #eeece6; --soft: #a3a7b0; --line: #34373d; --accent: #8fb8e0;
    --back: #25282d;
    --good: #8fdaab; --good-back: #1c3527; --bad: #f0a798; --bad-back: #40221c; --plain-back: #2c2f35;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 1424px; padding: 40px 24px 56px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1 {
  font-size: clamp(2rem, 4vw, 3rem); line-height: 1.1; letter-spacing: -.02em; margin: 0 0 8px;
  overflow-wrap: anywhere;
}
h2 { font-size: 1.35rem; letter-spacing: -.01em; margin: 48px 0 8px; }
h3 { font-size: 1.15rem; margin: 0 0 8px; }
p { margin: 0 0 16px; color: var(--soft); max-width: 76ch; }
p, footer, dd { overflow-wrap: anywhere; }
figure, dl, dd, ul { margin: 0; padding: 0; }
ul { list-style: none; }
img { display: block; height: auto; max-width: 100%; background: var(--back); }
a { color: var(--accent); }
small, .small { font-size: .8125rem; color: var(--soft); font-weight: 400; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.facts { display: flex; flex-wrap: wrap; gap: 8px 40px; margin: 20px 0 0; }
.facts dt, .figures dt { color: var(--soft); font-size: .8125rem; }
.facts dd { font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.selfies { display: flex; flex-wrap: wrap; gap: 8px; }
.selfies img { width: 96px; height: 96px; object-fit: cover; border-radius: 10px; image-rendering: auto; }
.cards { display: grid; gap: 20px; justify-content: start; align-items: stretch; }
.best { grid-template-columns: repeat(auto-fill, 258px); }
.more { grid-template-columns: repeat(auto-fill, 168px); gap: 16px; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden;
  display: flex; flex-direction: column;
}
.open {
  position: relative; display: flex; justify-content: center; width: 100%; padding: 0; border: 0; cursor: zoom-in;
  background: var(--back); color: inherit; font: inherit;
}
.open:focus-visible { outline-offset: -3px; }
.card img { flex: none; align-self: center; }
.hidden { padding: 48px 12px; font-size: .8125rem; color: var(--soft); }
.rank {
  position: absolute; top: 8px; left: 8px; min-width: 1.9em; padding: 1px .5em; border-radius: 999px;
  text-align: center;
  background: rgb(255 255 255 / .92); color: #1b1d21; font-size: .875rem; box-shadow: 0 0 0 1px rgb(0 0 0 / .12);
}
figcaption {
  display: flex; flex-wrap: wrap; align-items: center; align-content: start; gap: 6px 8px;
  padding: 10px 12px 12px; flex: 1;
  font-size: .875rem; font-variant-numeric: tabular-nums;
}
figcaption strong { flex: 1 0 100%; font-weight: 600; line-height: 1.3; }
.badge {
  padding: 0 8px; border-radius: 999px; font-size: .8125rem; background: var(--plain-back); white-space: nowrap;
}
.badge.accepted { background: var(--good-back); color: var(--good); }
.badge.accepted::before { content: "✓ " / ""; }
.badge.refused { background: var(--bad-back); color: var(--bad); }
.badge.refused::before { content: "✗ " / ""; }
.likeness { flex: 1 0 100%; }
.scale { display: block; width: 100%; margin-top: 4px; }
.scale .track { fill: var(--plain-back); }
.scale .enough { fill: var(--good); }
.scale .less { fill: var(--bad); }
.scale .mark { fill: var(--ink); }
.file { flex: 1 0 100%; font-size: .8125rem; overflow-wrap: anywhere; }
.file::before { content: "↓ " / ""; }
.likeness small { white-space: nowrap; }
.more .likeness small { display: block; }
.more .open { padding-top: 12px; background: none; }
.refused { margin-top: 40px; border: 1px solid var(--line); border-radius: 14px; background: var(--card); }
summary { cursor: pointer; }
.notes { margin: 0 0 16px; color: var(--soft); }
.notes p { margin: 8px 0 0; }
.refused summary { padding: 14px 16px; font-weight: 600; }
summary span { color: var(--soft); font-weight: 400; }
.rows {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(420px, 100%), 1fr)); gap: 16px;
  padding: 4px 16px 16px;
}
.rows > li { display: flex; gap: 14px; align-items: start; }
.rows .open { width: auto; flex: none; border-radius: 10px; overflow: hidden; }
.rows .open .hidden { width: 128px; padding: 40px 8px; }
.rows strong { margin-right: 8px; }
.reasons { margin: 6px 0; font-size: .875rem; }
.rows p { margin: 0; }
.rows .file { display: block; }
.elsewhere { margin-top: 24px; }
.pair, .team { display: flex; flex-wrap: wrap; gap: 20px; align-items: center; }
.team { align-items: stretch; }
.team .card { width: min-content; }
.team img { max-width: min(320px, 80vw); }
.arrow { font-size: 2rem; color: var(--soft); }
.curve { display: block; width: 100%; height: auto; max-width: 880px; }
.curve.narrow { display: none; max-width: 430px; }
.curve text { font-size: 13px; fill: var(--soft); }
.curve .grid { stroke: var(--line); stroke-width: 1; }
.curve polyline { fill: none; stroke: var(--accent); stroke-linejoin: round; stroke-linecap: round; }
.curve .measured { stroke-width: 1; opacity: .4; }
.curve .smooth { stroke-width: 2.5; }
.curve line.chosen { stroke: var(--good); stroke-width: 1.5; stroke-dasharray: 4 3; }
.curve text.chosen { fill: var(--good); }
.timings {
  width: 100%; max-width: 880px; border-collapse: collapse; font-size: .9375rem;
  font-variant-numeric: tabular-nums;
}
.timings th { text-align: left; font-weight: 400; white-space: nowrap; padding: 4px 16px 4px 0; width: 1%; }
.timings td:last-child { text-align: right; white-space: nowrap; padding-left: 16px; width: 1%; }
.bar { display: block; width: 100%; }
.bar rect { fill: var(--accent); }
.figures { display: flex; flex-wrap: wrap; gap: 8px 40px; margin-top: 20px; }
.figures dd { font-variant-numeric: tabular-nums; }
footer {
  margin-top: 48px; padding-top: 16px; border-top: 1px solid var(--line); font-size: .875rem;
  color: var(--soft);
}
[popover] { display: none; }
[popover]:popover-open {
  display: flex; flex-wrap: wrap; gap: 24px; align-items: start; margin: auto; max-width: 96vw;
  max-height: 96vh; overflow: auto;
  padding: 24px; border: 1px solid var(--line); border-radius: 16px; background: var(--card); color: var(--ink);
}
[popover]::backdrop { background: rgb(0 0 0 / .7); }
.large img { max-height: 80vh; max-width: min(80vw, 1024px); border-radius: 8px; }
.large .about { width: 300px; max-width: 100%; font-size: .9375rem; }
.large h3 { padding-right: 32px; }
.large dt { color: var(--soft); font-size: .8125rem; margin-top: 8px; }
.large dd { overflow-wrap: anywhere; }
.large .file {
  display: inline-block; margin-top: 16px; padding: 8px 14px; border: 1px solid var(--accent);
  border-radius: 10px;
}
.close {
  position: absolute; top: 8px; right: 8px; width: 36px; height: 36px; border: 0; border-radius: 999px;
  cursor: pointer;
  background: var(--plain-back); color: inherit; font-size: 1.25rem; line-height: 1;
}
@media (max-width: 620px) {
  body { padding: 24px 16px 40px; }
  h2 { margin-top: 40px; }
  .facts { gap: 8px 28px; }
  .cards.best, .cards.more { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
  .cards.best .card:first-child, .cards.best .card:last-child:nth-child(even) { grid-column: 1 / -1; }
  .card figcaption { padding: 8px 10px 10px; }
  .selfies img { width: 64px; height: 64px; }
  .curve.wide { display: none; }
  .curve.narrow { display: block; }
  .pair { justify-content: center; }
  .team { gap: 10px; }
  .team img { max-width: 27vw; }
  .arrow { transform: rotate(90deg); flex: 1 0 100%; text-align: center; line-height: 1; }
  .large { padding: 16px; }
  .large img { max-width: 100%; max-height: 60vh; }
}
@media print { .card, .rows > li { break-inside: avoid; } }
"""


def style_sheet(widths: Iterable[int]) -> str:
    """The style sheet of a page with pictures of these widths in pixels."""
    return _BASE + "".join(_sizes(width) for width in sorted(set(widths)) if 0 < width <= SMALL_PX)


def _sizes(width: int) -> str:
    """Whole multiples of a small picture's width, in each place where it stands."""

    def times(room: int) -> int:
        return max(room // width, 1) * width

    image = f"img.w{width}"
    step = f"round(down, min(86vw, 76vh, {_LARGE_STEPS * width}px), {width}px)"
    return f"""
.best {image}, .pair {image}, .team {image} {{ width: {times(_BEST_PX)}px; image-rendering: pixelated; }}
.more {image} {{ width: {times(_MORE_PX)}px; image-rendering: pixelated; }}
.rows {image} {{ width: {times(128)}px; image-rendering: pixelated; }}
.large {image} {{ width: {times(_BEST_PX)}px; width: {step}; max-height: none; image-rendering: pixelated; }}
@media (max-width: 620px) {{
  .cards {image} {{ width: {times(_PHONE_PX)}px; }}
  .team {image} {{ width: {times(_TEAM_PHONE_PX)}px; max-width: none; }}
  .best .card:first-child {image}, .best .card:last-child:nth-child(even) {image} {{ width: {times(_BEST_PX)}px; }}
}}
"""
