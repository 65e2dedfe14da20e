"""Holds the gallery page's CSS as a string, so that the package needs no data file."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d1f23; --soft: #6a6d75; --line: #e4e1da; --accent: #2f5d8a;
  --good: #2c7a4b; --bad: #a4402f;
  --shadow: 0 1px 2px rgb(0 0 0 / .06), 0 8px 24px rgb(0 0 0 / .06);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141518; --card: #1d1f23; --ink: #eceae4; --soft: #9b9ea6; --line: #303238; --accent: #8fb8e0;
    --good: #7fcf9d; --bad: #e89b8c;
    --shadow: 0 1px 2px rgb(0 0 0 / .4);
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1180px; padding: 48px 24px 64px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1 { font-size: clamp(1.9rem, 4vw, 2.8rem); line-height: 1.1; letter-spacing: -.02em; margin: 0 0 8px; }
h2 { font-size: 1.25rem; letter-spacing: -.01em; margin: 56px 0 4px; }
h2 + .shots { margin-top: 16px; }
p { margin: 0 0 16px; color: var(--soft); max-width: 70ch; }
figure, dl, dd, ul { margin: 0; padding: 0; }
img { display: block; width: 100%; height: auto; image-rendering: auto; background: var(--line); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 12px; margin: 28px 0 0; }
.facts div { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; }
.facts dt { color: var(--soft); font-size: .82rem; }
.facts dd { font-size: 1.35rem; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.facts .none { font-size: 1rem; font-weight: 400; line-height: 2; color: var(--soft); }
.selfies { display: grid; grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); gap: 8px; list-style: none; }
.selfies img { aspect-ratio: 1; object-fit: cover; border-radius: 10px; }
.shots { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 20px; }
.shots figure {
  background: var(--card); border-radius: 14px; overflow: hidden; box-shadow: var(--shadow);
  border: 1px solid var(--line); max-width: 400px;
}
.shots figcaption {
  display: flex; flex-wrap: wrap; gap: 2px 12px; padding: 10px 14px 12px; font-size: .82rem;
  color: var(--soft); font-variant-numeric: tabular-nums;
}
.shots strong { flex: 1 0 100%; color: var(--ink); font-weight: 600; }
.shots .accepted::before { content: "✓ "; color: var(--good); }
.shots .refused { flex: 1 0 100%; color: var(--bad); overflow-wrap: anywhere; }
.shots figure { position: relative; }
.rank {
  position: absolute; top: 10px; left: 10px; min-width: 1.9em; padding: 2px .5em; border-radius: 999px;
  background: rgb(255 255 255 / .9); color: #1d1f23; font-size: .82rem; text-align: center;
}
.curve { display: block; width: 100%; height: auto; max-width: 880px; }
.curve text { font-size: 12px; fill: var(--soft); }
.curve .grid { stroke: var(--line); stroke-width: 1; }
.curve polyline { fill: none; stroke: var(--accent); stroke-linejoin: round; stroke-linecap: round; }
.curve .measured { stroke-width: 1; opacity: .35; }
.curve .smooth { stroke-width: 2.5; }
.stages { width: 100%; max-width: 880px; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.stages th { text-align: left; font-weight: 400; white-space: nowrap; padding: 5px 16px 5px 0; width: 1%; }
.stages td { padding: 5px 0; }
.stages .seconds { text-align: right; white-space: nowrap; padding-left: 16px; width: 1%; }
.bar { display: block; height: 12px; border-radius: 6px; background: var(--accent); min-width: 2px; }
footer { margin-top: 64px; padding-top: 16px; border-top: 1px solid var(--line); }
footer { font-size: .85rem; color: var(--soft); }
@media (max-width: 560px) {
  body { padding: 28px 16px 48px; }
  .facts, .shots { grid-template-columns: repeat(2, 1fr); gap: 12px; }
  .shots figcaption { padding: 6px 10px 8px; }
}
@media print { .shots figure { break-inside: avoid; box-shadow: none; } }
"""
