"""The look of the report: on a screen, on paper and in grey."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 58rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.05rem; font-weight: 600; color: #444; margin: 0 0 .75rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-bottom: .25rem; border-bottom: 2px solid #1a1a1a; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .4rem 0; }
.verdict { font-size: 1.6rem; line-height: 1.3; font-weight: 650; margin: 0 0 1rem; }
.findings { margin: 0; padding-left: 1.2rem; }
.warning { border: 2px solid #1a1a1a; padding: .6rem .8rem; margin: 1rem 0; font-weight: 600; }
.small { font-size: .85rem; color: #444; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .92rem; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #ccc; vertical-align: top; }
thead th { border-bottom: 2px solid #1a1a1a; font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.unit, td:last-child { white-space: nowrap; }
td .note, td .range { display: block; font-size: .8rem; color: #555; }
figure { margin: 1rem 0; }
figure svg { max-width: 100%; height: auto; display: block; }
figcaption { font-size: .85rem; color: #444; max-width: 44rem; }
.row { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-end; }
.row figure { flex: 0 1 auto; margin: .5rem 0; }
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--case-width), 1fr)); gap: .8rem; }
.cases figure { margin: 0; }
.cases img { width: 100%; max-width: var(--case-width); image-rendering: pixelated; display: block;
  border: 1px solid #888; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .85rem; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
@media print {
  @page { margin: 15mm; }
  body { font-size: 10.5pt; max-width: none; padding: 0; }
  .verdict { font-size: 16pt; }
  h2 { break-after: avoid; }
  figure, tr, .warning { break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""
