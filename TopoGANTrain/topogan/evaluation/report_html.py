"""The report as one HTML page that needs nothing else: no script, no network, no other file."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from topogan.evaluation.report import Metric, label, number
from topogan.evaluation.report_style import STYLE
from topogan.evaluation.wording import comparison


@dataclass(frozen=True)
class Picture:
    """A small picture with its caption."""

    url: str
    """A ``data:`` address."""
    caption: str


@dataclass(frozen=True)
class Block:
    """Something to look at under a heading: a drawing, or a row of pictures."""

    caption: str
    """Below a drawing, above pictures."""
    text: str = ""
    """Under the caption of pictures."""
    svg: str = ""
    pictures: list[Picture] = field(default_factory=list)
    picture_width: str = "8rem"


@dataclass(frozen=True)
class Chapter:
    """One part of the page: what it says, its table and its figures."""

    title: str
    text: str
    metrics: list[Metric]
    blocks: list[Block]


@dataclass(frozen=True)
class Page:
    """All that the page shows, in plain text; escaping happens here and nowhere else."""

    title: str
    verdict: str
    findings: list[str]
    warnings: list[str]
    chapters: list[Chapter]
    provenance: dict[str, str]


def page_html(page: Page) -> str:
    """The page as text, UTF-8."""
    warnings = "".join(f'<p class="warning">{escape(warning)}</p>' for warning in page.warnings)
    findings = "".join(f"<li>{escape(finding)}</li>" for finding in page.findings)
    provenance = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in page.provenance.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(page.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(page.title)}</h1>
<p class="verdict">{escape(page.verdict)}</p>
{warnings}
<ul class="findings">{findings}</ul>
{"".join(_chapter(chapter) for chapter in page.chapters)}
<h2>Where the figures come from</h2>
<dl>{provenance}</dl>
<p class="small">For research only, not a medical device. What each figure means: Resources/Docs/metrics.md.</p>
</body>
</html>
"""


def _chapter(chapter: Chapter) -> str:
    blocks = "".join(_block(block) for block in chapter.blocks)
    table = metrics_table(chapter.metrics) if chapter.metrics else ""
    text = f"<p>{escape(chapter.text)}</p>" if chapter.text else ""
    return f"<h2>{escape(chapter.title)}</h2>\n{text}\n{table}\n{blocks}\n"


def metrics_table(metrics: list[Metric]) -> str:
    """A table of metrics beside real against real."""
    rows = "".join(_row(metric) for metric in metrics)
    return (
        '<table><thead><tr><th>Figure</th><th class="number">Synthetic</th><th class="number">Real</th>'
        f"<th>Unit</th><th>In words</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(metric: Metric) -> str:
    note = f'<span class="note">{escape(metric.note)}</span>' if metric.note else ""
    return (
        f"<tr><td>{escape(label(metric))}{note}</td>"
        f'<td class="number">{_number(metric.value)}{_range(metric.by_seed)}</td>'
        f'<td class="number">{_number(metric.real)}{_range(metric.real_by_seed)}</td>'
        f'<td class="unit">{escape(metric.unit)}</td><td>{escape(comparison(metric))}</td></tr>'
    )


def _range(by_seed: dict[str, float]) -> str:
    """Smallest and largest value over the draws, where they differ in what is printed."""
    if not by_seed:
        return ""
    low, high = _number(min(by_seed.values())), _number(max(by_seed.values()))
    return f'<span class="range">{low} to {high}</span>' if low != high else ""


def _number(value: float | None) -> str:
    return number(value).replace("-", "−")


def _block(block: Block) -> str:
    caption = f"<figcaption>{escape(block.caption)}</figcaption>"
    if block.svg:
        return f"<figure>{block.svg}{caption}</figure>"
    pictures = "".join(
        f'<figure><img src="{escape(picture.url)}" alt="{escape(picture.caption)}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        for picture in block.pictures
    )
    text = block.text if block.pictures else f"{block.text} There is none."
    return (
        f"<h3>{escape(block.caption)}</h3><p>{escape(text)}</p>"
        f'<div class="cases" style="--case-width: {escape(block.picture_width)}">'
        f"{pictures}</div>"
    )
