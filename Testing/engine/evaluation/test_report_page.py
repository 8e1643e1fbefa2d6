"""The HTML page stands alone, discloses nobody, and says first what matters."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from topogan.config import PrepareSettings
from topogan.dataset import prepare
from topogan.evaluation import evaluate
from topogan.evaluation.page import Chapter, Page
from topogan.evaluation.report import Metric
from topogan.evaluation.wording import Words
from topogan.training_set import TrainingSet


class PageReader(HTMLParser):
    """Collects tags with their attributes, and the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> PageReader:
    reader = PageReader()
    reader.feed(text)
    return reader


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, synthesis: Path, training_set: Path) -> str:
    found = evaluate(synthesis, training_set, report=tmp_path_factory.mktemp("page") / "out.html")
    assert found.path is not None
    return found.path.read_text(encoding="utf-8")


def test_the_page_asks_nobody_for_anything(page: str) -> None:
    tags = read(page).tags
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "embed", "base", "form", "audio"}
    for tag, attributes in tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "srcset", "action", "data"):
                assert value is not None
                assert value.startswith(("data:image/png;base64,", "#")), (tag, name, value[:80])
    outside = re.sub(r'xmlns(:\w+)?="[^"]*"|"data:image/png;base64,[^"]*"', "", page)
    assert not re.search(r"(https?:)?//[a-z]|@import|url\((?!#)", outside)


def test_drawings_do_not_disturb_each_other(page: str) -> None:
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    shared = {name for name in identifiers if identifiers.count(name) > 1}
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page))
    assert used <= set(identifiers)
    assert not used & shared


def test_the_conclusion_comes_first(page: str) -> None:
    body = page[page.index("<body>") :]
    assert body.index('class="conclusion"') < body.index("<h2>")
    assert re.search(r"\d+ of 30 samples have 2 pieces and 1 hole, (as|while) \d+ % of real slices do\.", page)


def test_all_chapters_figures_and_pictures_are_there(page: str) -> None:
    reader = read(page)
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Topology", "Shape", "Texture", "Copying", "Samples", "Where the figures come from",
    ]  # fmt: skip
    assert sum(tag == "svg" for tag, _ in reader.tags) == 7
    pictures = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert len(pictures) == 8 * 3 + 4
    assert all(attributes["alt"] for attributes in pictures)
    text = "".join(reader.text)
    assert "Sample 7, Dice 1.000 with patient_001, row 3" in text
    alike = re.findall(r"Sample \d+, correlation (\d\.\d{3}) with patient_\d{3}, row \d+", text)
    assert len(alike) == 4 and alike == sorted(alike, reverse=True), "the closest first"


def test_sets_are_told_apart_without_color(page: str) -> None:
    assert "stroke-dasharray" in page
    assert "<pattern" in page
    for word in ("synthetic", "real, test", "real, trained on"):
        assert word in page


def test_the_page_is_made_for_paper(page: str) -> None:
    assert "@media print" in page
    assert "break-inside: avoid" in page


def test_text_is_escaped(page: str) -> None:
    assert "myocardium &lt;left&gt;" in page
    assert "myocardium <left>" not in page


def test_tables_show_real_beside_and_the_range_of_the_draws() -> None:
    metric = Metric(
        "topology", "W1", 0.0213, -0.01, "image widths", "lower", dimension=1, note="100 slices a side",
        by_seed={"0": 0.02, "1": 0.0226},
    )  # fmt: skip
    chapter = Chapter("Topology", "", [metric, Metric("topology", "KID", None, None, "", "lower")], [])
    table = Page("", Words("", [], []), [chapter], {}).html()
    assert ">W1 of holes<" in table
    assert "0.02 to 0.0226" in table
    assert "−0.01" in table
    assert table.count("–") == 3


def test_an_empty_page_is_still_a_page() -> None:
    text = Page("Title & more", Words("All is well.", [], ["Beware < this."]), [], {"Made with": "TopoGAN"}).html()
    assert text.startswith("<!DOCTYPE html>")
    assert "Title &amp; more" in text
    assert '<p class="warning">Beware &lt; this.</p>' in text


PLANTED = ("Mueller", "Hans", "19570312", "Charite")


def test_no_name_of_the_source_reaches_the_report(
    tmp_path: Path, make_synthesis, synthetic_slices: tuple[np.ndarray, np.ndarray]
) -> None:
    folder = tmp_path / "Charite" / "Mueller_Hans_19570312"
    folder.mkdir(parents=True)
    paths = []
    for number in range(4):
        volume = np.zeros((12, 48, 48), dtype=np.uint8)
        volume[1:11, 10 : 30 + number, 12:30] = 1
        volume[1:11, 18:22, 18:22] = 0
        paths.append(folder / f"Mueller_Hans_{number}.nii.gz")
        sitk.WriteImage(sitk.GetImageFromArray(volume), str(paths[-1]))
    patients = ["Mueller", "Mueller", "Hans", "Hans"]
    real = prepare(folder / "set", paths, settings=PrepareSettings(pixel_size=1.5), patients=patients)
    content_hash = TrainingSet.open(real).content_hash
    samples = make_synthesis(synthetic_slices[0], None, model={"content_hash": "b" * 64, "training_set": content_hash})
    report = evaluate(samples.rename(folder / "samples"), real, report=folder / "Mueller.html")
    assert report.path is not None
    for path in (report.path, report.path.with_suffix(".json")):
        text = path.read_text(encoding="utf-8").lower()
        assert "patient_00" in text or path.suffix == ".json"
        for name in (*PLANTED, str(tmp_path)):
            assert name.lower() not in text, (path.name, name)
