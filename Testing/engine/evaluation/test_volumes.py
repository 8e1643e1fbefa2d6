"""The evaluation of volumes: balls, shells and tori, whose topology is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes
from simulated_volumes import KINDS, PAIR, VOXEL, many, painted, write_real, write_synthesis

from topogan.errors import InputError
from topogan.evaluation import Report, evaluate
from topogan.evaluation.case_pictures import copy_picture, sample_picture, texture_pair_picture
from topogan.evaluation.copying_words import memorization_sentence
from topogan.evaluation.downstream import downstream
from topogan.evaluation.sections import Comparison
from topogan.evaluation.sets import LARGEST_SET, largest_set, open_sets
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.terms import TERMS
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.closeness import Closeness
from topogan.metrics.memorization import MemorizationAudit
from topogan.training_set import TrainingSet

REAL = ["shell"] * 8 + ["torus"]
MADE = ["shell"] * 7 + ["ball"] * 4 + ["torus"] * 4 + ["pierced"] * 2 + ["two"] * 3
TRAINED = 20
Make = Callable[..., Path]


@pytest.fixture(scope="module")
def real() -> np.ndarray:
    """36 volumes: 20 to train on, 16 held out."""
    return many(REAL * 4, 2)


@pytest.fixture(scope="module")
def made(real: np.ndarray) -> np.ndarray:
    """20 volumes; number 4 copies training row 3."""
    masks = many(MADE, 3)
    masks[4] = real[3]
    return masks


@pytest.fixture(scope="module")
def training_set(tmp_path_factory: pytest.TempPathFactory, real: np.ndarray) -> Path:
    return write_real(tmp_path_factory.mktemp("real") / "set", real, TRAINED, images=painted(real, 0))


@pytest.fixture(scope="module")
def of_training_set(training_set: Path) -> str:
    return TrainingSet.open(training_set).content_hash


@pytest.fixture(scope="module")
def synthesis(tmp_path_factory: pytest.TempPathFactory, made: np.ndarray, of_training_set: str) -> Path:
    folder = tmp_path_factory.mktemp("made") / "samples"
    return write_synthesis(folder, made, of_training_set, textures=painted(made, 1))


@pytest.fixture
def make_synthesis(tmp_path: Path, of_training_set: str) -> Make:
    numbers = iter(range(100))
    return lambda masks, **changes: write_synthesis(
        tmp_path / f"samples{next(numbers)}", masks, of_training_set, **changes
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, synthesis: Path, training_set: Path) -> Report:
    return evaluate(synthesis, training_set, report=tmp_path_factory.mktemp("out") / "out.html")


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    assert report.path is not None
    return report.path.read_text(encoding="utf-8")


def visible(page: str) -> str:
    """The text that a reader sees."""

    class Reader(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += data

    reader = Reader()
    reader.feed(page[page.index("<body>") :])
    return reader.text


@pytest.mark.parametrize("kind", KINDS)
def test_the_shapes_have_the_topology_that_is_said(kind: str) -> None:
    assert betti_numbers_of_batch(many([kind] * 2, 0)).tolist() == [list(KINDS[kind])] * 2


def test_topology_is_that_of_three_numbers(report: Report, made: np.ndarray) -> None:
    assert report.conclusion == "7 of 20 samples have 1 piece, no tunnel and 1 cavity, while 88 % of real volumes do."
    assert report.metric("Valid").value == 35.0
    for name in ("W1", "W1-birth", "Betti score", "Betti score (cleaned)", "uMMD (W1)"):
        assert [report.metric(name, dimension).axes for dimension in range(3)] == [3, 3, 3]
    assert report.content["axes"] == 3
    assert report.content["modal_betti"] == [1, 0, 1]
    assert report.content["betti"]["synthetic"]["1,0,1"] == 0.35
    assert "Betti score of tunnels" in report.summary() and "W1 of cavities" in report.summary()


def test_volumes_are_in_milliliters(report: Report, made: np.ndarray, real: np.ndarray) -> None:
    volume = report.metric("Mean volume")
    assert volume.unit == "ml"
    assert volume.value == pytest.approx(made.mean(axis=0).sum() * VOXEL**3 / 1000)
    assert volume.real == pytest.approx(real[TRAINED:].mean(axis=0).sum() * VOXEL**3 / 1000)
    assert re.match(
        r"The structure fills [\d.]+ ml on average, in real volumes [\d.]+ ml;", report.content["findings"][0]
    )


def test_specks_of_fewer_than_eight_voxels_are_cleaned_and_tunnels_stay(
    make_synthesis: Make, training_set: Path, made: np.ndarray
) -> None:
    masks = made.copy()
    masks[:, 0, 0, 0] = True
    found = evaluate(make_synthesis(masks), training_set)
    assert found.metric("Valid").value == 0.0
    assert found.metric("Valid (cleaned)").value == 35.0
    assert "pieces and cavities below 8 voxels removed" in found.metric("Valid (cleaned)").note


def test_cleaned_samples_show_what_the_generator_made(
    make_synthesis: Make, training_set: Path, made: np.ndarray
) -> None:
    before = {"betti_histogram_before_cleaning": {"1,0,1": 5, "3,0,1": 15}}
    found = evaluate(make_synthesis(made, settings={"clean": 8}, regions=[before]), training_set)
    assert found.metric("Valid (before cleaning)").value == 25.0
    assert "cleaned below 8 voxels" in found.metric("Valid (before cleaning)").note


def test_the_page_speaks_of_volumes(page: str) -> None:
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Topology", "Shape", "Texture", "Copying", "Samples", "Where the figures come from",
    ]  # fmt: skip
    text = visible(page)
    for right in (
        "the planes across slices, rows and columns through the middle, the last slice on top",
        "the hole in the wall", "across slices", "neighboring slices", "enclosed holes",
    ):  # fmt: skip
        text = text.replace(right, "")
    for word in ("slice", "pixel", "hole", "mm²", "area"):
        assert word not in text, word
    for words in (
        "Synthetic shell, compared with real volumes", "20 of 32 × 32 × 32 voxels", "Voxel size", "tunnels", "cavities",
        "Closer to training than a test volume", "volume (ml)", "volumes (%)", "birth (voxels)", "points per volume",
        "cycles per volume width", "voxels (%)",
        "1 tunnel instead of none, no cavity", "pieces (b0)", "tunnels (b1)", "cavities (b2)",
    ):  # fmt: skip
        assert words in text, words


def test_the_page_shows_every_figure(page: str) -> None:
    # Bars of the three numbers together and of each, two densities, gaps; volumes; intensities, three spectra; copies.
    assert page.count("<svg") == 11
    # Seven samples are valid, of which one is a copy.
    assert page.count("<img") == 8 + 6 + 8 + 4
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    shared = {name for name in identifiers if identifiers.count(name) > 1}
    assert not set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) & shared


def test_pictures_are_three_planes_and_a_surface(synthesis: Path, training_set: Path) -> None:
    samples, real = SyntheticSet.open(synthesis), TrainingSet.open(training_set)
    found = Comparison(samples, real, open_sets(samples, real))
    case = found.cases[0]
    planes, surface = slice(0, 96), slice(300, 396)
    picture = sample_picture(found, case)
    # Four parts of 96 pixels with gaps of 4; below them three planes of the texture.
    assert picture.shape == (96 + 4 + 96, 4 * 96 + 3 * 4, 3)
    assert (picture[planes, surface] != 255).any() and (picture[100:, surface] == 255).all()
    # The ring of the shell in the first plane is dark, its cavity is not.
    assert 0.02 < (picture[planes, planes] == 40).all(axis=2).mean() < 0.5
    assert copy_picture(found, case).shape == (3 * 96 + 2 * 4, 4 * 96 + 3 * 4, 3)
    pair = texture_pair_picture(found, case.sample, int(real.train[0]))
    assert pair.shape == (2 * 96 + 4, 3 * 96 + 2 * 4, 3)
    assert (pair[:96] != pair[100:]).any(), "the sample's above, the training image below"


def test_copies_are_found_and_told_beside_test_volumes(
    report: Report, make_synthesis: Make, training_set: Path, real: np.ndarray
) -> None:
    assert report.content["memorization"]["equal_to_training"] == [4]
    assert report.content["memorization"]["flagged"][0]["nearest_training_row"] == 3
    told = report.content["findings"][-1]
    assert "1 equals one voxel by voxel. The nearest training mask has a Dice of " in told
    assert re.search(r"on average, that of a test volume 0\.\d{3}\.$", told)
    copied = evaluate(make_synthesis(real[:TRAINED]), training_set)
    assert copied.content["warnings"][0].startswith("20 of 20 samples look like copies of training masks")


def test_memorized_patients_are_warned_of_before_any_sample_is_a_copy(tmp_path: Path, real: np.ndarray) -> None:
    # A test volume that equals a training volume: then nothing is called a copy.
    volumes = real.copy()
    volumes[-1] = volumes[0]
    training_set = write_real(tmp_path / "set", volumes, TRAINED)
    close = volumes[:TRAINED].copy()
    close[:, 15] = False
    samples = write_synthesis(tmp_path / "made", close, TrainingSet.open(training_set).content_hash)
    found = evaluate(samples, training_set, tmp_path / "out.html")
    assert found.metric("Possible copies").value == 0.0
    assert found.metric("Closer to training than a test volume").value > 75
    warning, rough = found.content["warnings"]
    assert rough == f"There are only {len(real) - TRAINED} real volumes to compare with: the figures are rough."
    assert re.match(
        r"The samples are closer to the training patients than test volumes are \(Dice 0\.9\d\d bes", warning
    )
    assert not any("no sign of" in finding for finding in found.content["findings"])
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.index(warning) < page.index("<h2>")


def test_leaning_on_patients_is_no_good_sign() -> None:
    none = np.zeros(0, dtype=np.int64)
    dice = Closeness(np.full(9, 0.8), np.arange(9), np.array([0.6, 0.7, 0.75, 0.85]))
    close = MemorizationAudit(dice, dice, none, none)
    assert memorization_sentence(close, TERMS[3]) == (
        "None of 9 samples comes closer to a training mask than every test volume does. The nearest training mask has "
        "a Dice of 0.800 on average, that of a test volume 0.725."
    )
    assert memorization_sentence(close).endswith("than test slices do: no sign of copied masks.")


def test_several_structures_have_a_chapter_each(tmp_path: Path, real: np.ndarray, made: np.ndarray) -> None:
    def labels(masks: np.ndarray) -> np.ndarray:
        return np.stack([mask + np.uint8(2) * (binary_fill_holes(mask) & ~mask) for mask in masks])

    training_set = write_real(tmp_path / "set", labels(real), TRAINED, PAIR)
    samples = write_synthesis(tmp_path / "made", labels(made), TrainingSet.open(training_set).content_hash, PAIR)
    found = evaluate(samples, training_set, report=tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    regions = ["wall", "cavity", "wall + cavity"]
    assert re.findall(r"<h2>(.*?)</h2>", page)[2:6] == ["Structures", *regions]
    figures = [metric.name for metric in found.metrics if metric.structure == "cavity"]
    assert figures == [
        "Valid", "Betti error", "W1", "W1", "W1", "In the volume", "Mean volume", "Volume distance", "Dice to real",
    ]  # fmt: skip
    # Real test volumes are shells and tori: balls, handles and second pieces are not valid.
    assert found.metric("Valid", structure="wall").value == pytest.approx(100 * (7 + 4) / 20)
    assert found.metric("Every structure valid").value == found.metric("Valid", structure="wall").value
    assert found.content["worst"][0]["verdict"].startswith("wall: ")
    assert "real volumes" in found.conclusion


def test_slices_and_volumes_are_not_compared(
    make_synthesis: Make, made: np.ndarray, training_set: Path, ring_training_set: Path, synthesis: Path
) -> None:
    with pytest.raises(InputError, match="samples are volumes and the training set holds slices"):
        evaluate(synthesis, ring_training_set)
    larger = np.zeros((2, 48, 48, 48), bool)
    with pytest.raises(InputError, match="48 voxels wide and the training set 32"):
        evaluate(make_synthesis(larger), training_set)
    with pytest.raises(InputError, match=r"1 volume\(s\) where at least 2"):
        evaluate(make_synthesis(made[:1]), training_set)


def test_incomplete_syntheses_are_refused(make_synthesis: Make, made: np.ndarray, training_set: Path) -> None:
    with pytest.raises(InputError, match="2 Betti numbers where masks have 3"):
        evaluate(make_synthesis(made[:3], requested_betti=[[1, 0]]), training_set)
    lacking = make_synthesis(made[:3])
    (lacking / "volumes" / "00001_mask.seg.nrrd").unlink()
    with pytest.raises(InputError, match=r"00001_mask\.seg\.nrrd is missing"):
        evaluate(lacking, training_set)


def test_segmentation_networks_are_for_slices(
    tmp_path: Path, synthesis: Path, training_set: Path, ring_training_set: Path
) -> None:
    for real in (training_set, ring_training_set):
        with pytest.raises(InputError, match="holds volumes: the network of a downstream segmentation takes slices"):
            downstream(synthesis, real, tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


def test_memory_stays_bounded_by_voxels() -> None:
    assert [largest_set(2, size) for size in (64, 512)] == [LARGEST_SET, LARGEST_SET]
    assert [largest_set(3, size) for size in (32, 64, 128)] == [2000, 500, 62]
