"""The page: text by hand around tables and plots that ``--summary`` makes from the results."""

from __future__ import annotations

from pathlib import Path

from ablation.literature import beside_the_literature
from ablation.plots import write_plot
from ablation.results import Group, read_results
from ablation.tables import set_section
from topogan.errors import InputError
from topogan.files import staged_file

BEGIN, END = "<!-- made by --summary: begin -->", "<!-- made by --summary: end -->"


def write_page(results: Path, page: Path) -> str:
    """Replace what lies between the two marks of ``page``, write a plot of each set beside it, return the tables.

    Raises:
        InputError: there are no results yet, or the page has no marks.
    """
    groups = read_results(results)
    if not groups:
        raise InputError(f"There are no results in {results}: make some with --run.")
    old = page.read_text(encoding="utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        raise InputError(f"{page} must hold the two marks {BEGIN} and {END} once each.")
    before, rest = old.split(BEGIN)
    sections = [set_section(group) for group in groups]
    shown = [
        f"{section}\n\n![Curves and differences]({_plot(group, number, page)})"
        for number, (group, section) in enumerate(zip(groups, sections, strict=True), start=1)
    ]
    literature = beside_the_literature(groups)
    body = "\n\n".join([*shown, literature])
    with staged_file(page) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return "\n\n".join([*sections, literature])


def _plot(group: Group, number: int, page: Path) -> str:
    """Draw the plot and return its place as the page names it."""
    path = page.parent / page.stem / f"{number}_{group.set_name}.png"
    write_plot(group, path)
    return path.relative_to(page.parent).as_posix()
