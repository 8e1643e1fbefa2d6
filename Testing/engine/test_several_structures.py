"""Several structures: named in words, in a file, by color or region; and what a training set of them holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from matplotlib.image import imread
from tubes import patients, ring_labels, rows_of, save

from topogan.cli import run
from topogan.config import Part, PrepareSettings, TrainSettings
from topogan.dataset import prepare
from topogan.dataset.request import prepare_as_requested
from topogan.errors import InputError
from topogan.homology import betti_numbers_of_batch
from topogan.structures import StructureTable, checked_table, colored, read_table, table_of_words
from topogan.training import lifecycle
from topogan.training_set import TrainingSet
from topogan_contract.training_set import identity

pytestmark = pytest.mark.usefixtures("no_previews")

TABLE = table_of_words(["cavity=1", "wall=2"], ["wall+cavity"])


def test_words_are_a_table() -> None:
    table = table_of_words(["lv cavity=1,7", "a=b=2", "vein=#FF0000,#00ff00", "atrium"], ["a=b+atrium"])
    assert table.names == ("lv cavity", "a=b", "vein", "atrium")
    assert [one.labels for one in table.structures] == [(1, 7), (2,), (), ()]
    assert table.structures[2].png_colors == ("#FF0000", "#00ff00")
    assert [region.name for region in table.regions] == [*table.names, "a=b + atrium"]
    assert table.regions[-1].ids == (2, 4)
    assert table_of_words(["a=1", "b=2"], ["a + b"]).unions == table_of_words(["a=1", "b=2"], ["a+b"]).unions


def test_colors_are_chosen_where_none_are_given() -> None:
    rows: list[dict[str, Any]] = [{"name": f"s{number}", "labels": [number + 1]} for number in range(24)]
    rows[1]["color"] = "#123456"
    table = checked_table({"structures": rows})
    assert [one.color for one in table.structures] == ["#123456" if n == 1 else colored(n) for n in range(24)]
    assert len({one.color for one in table.structures}) == 24
    assert checked_table(table.model_dump(mode="json")) == table


def test_a_file_says_what_words_cannot(tmp_path: Path) -> None:
    wall = {"name": "wall", "labels": [2], "color": "#aa0000", "terminology": "SCT^39607008^Lung"}
    content = {"structures": [{"name": "cavity", "labels": [1]}, wall], "unions": [["wall", "cavity"]]}
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"schema": "topogan.structures/1", **content}))
    masks, scans = patients(tmp_path)
    options = [word for name, paths in (("-s", masks), ("-c", scans)) for path_ in paths for word in (name, str(path_))]
    assert run(["prepare", str(tmp_path / "set"), *options, "--structures", str(path)]) == 0
    assert TrainingSet.open(tmp_path / "set").table == read_table(path)


@pytest.mark.parametrize("name", ["RV; wall", "E=1"])
def test_names_that_could_not_be_asked_for_are_refused(tmp_path: Path, name: str) -> None:
    for given in (
        {"settings": PrepareSettings(structure=name)},
        {"table": checked_table({"structures": [{"name": name}, {"name": "wall"}]})},
    ):
        with pytest.raises(InputError, match=f"The structure '{name}' cannot be asked for by its name: rename it"):
            prepare(tmp_path / "out", [tmp_path / "none.nii.gz"], **given)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    return prepare(folder / "out", *patients(folder), PrepareSettings(pixel_size=1.0), table=TABLE)


def test_what_a_training_set_of_several_holds(prepared: Path) -> None:
    found = TrainingSet.open(prepared)
    content = json.loads((prepared / "dataset.json").read_text())
    assert found.table == TABLE
    assert lifecycle._identity(found) == identity(content), "what a run records of it, and what a panel reads of it"
    assert found.modal_betti == ((1, 0), (1, 1), (1, 0))
    assert found.image_pixel_size == 1.0
    assert not {"structure", "labels"} & content["settings"].keys()
    stored = np.asarray(found.masks[slice(None)])
    assert set(np.unique(stored)) == {0, 1, 2}
    for number, region in enumerate(found.regions):
        np.testing.assert_array_equal(found.betti[:, number], betti_numbers_of_batch(region.of(stored)))
        diagrams = found.diagrams(number)
        assert [diagram.betti_numbers(0.0) for diagram in diagrams] == [
            tuple(one) for one in found.betti[:, number].tolist()
        ]
        assert content["betti"]["train"][region.name] == {"1,1" if region.name == "wall" else "1,0": 32}
    row = rows_of(prepared)[0]
    assert (row["b1 wall"], row["b1 wall + cavity"]) == ("1", "0")
    assert float(row["area_mm2"]) == np.count_nonzero(stored[0])


def test_each_structure_is_where_it_would_be_alone(tmp_path: Path, prepared: Path) -> None:
    """In planes along the voxels, and with pixels of their size, nothing is interpolated."""
    together = TrainingSet.open(prepared)
    settings = PrepareSettings(structure="all", labels=(1, 2), pixel_size=1.0)
    alone = TrainingSet.open(prepare(tmp_path / "out", *patients(tmp_path), settings))
    np.testing.assert_array_equal(together.region_masks(slice(None), "wall + cavity"), alone.region_masks(slice(None)))
    np.testing.assert_array_equal(together.images[slice(None)], alone.images[slice(None)])
    np.testing.assert_array_equal(together.levels, alone.levels)


def test_the_level_runs_along_all_structures_together(tmp_path: Path) -> None:
    """The wall begins where the cavity has ended: the levels are those of the whole."""
    labels = ring_labels()
    labels[:20][labels[:20] == 2] = 0
    labels[20:][labels[20:] == 1] = 0
    paths = [save(tmp_path / f"p{number}.nii.gz", labels) for number in range(3)]
    found = TrainingSet.open(prepare(tmp_path / "out", paths, settings=PrepareSettings(), table=TABLE))
    of_patient = np.array(found.patients) == found.patients[0]
    np.testing.assert_allclose(found.levels[of_patient], np.linspace(0, 1, 32), atol=1e-4)
    first_wall = found.region_masks(slice(None), "wall").any(axis=(1, 2))[of_patient].argmax()
    assert first_wall == 16


def test_what_some_volumes_lack_is_said(tmp_path: Path) -> None:
    masks, _ = patients(tmp_path, 4)
    for number in (1, 2):
        array = ring_labels(14.0 + number)
        save(masks[number], np.where(array == 1, 0, array).astype(np.uint8))
    said: list[str] = []
    prepare(
        tmp_path / "out",
        masks,
        settings=PrepareSettings(),
        table=TABLE,
        on_event=lambda e: said.append(str(e.get("text"))),
    )
    assert "Of the 4 volumes, 2 do not show cavity." in said


def colors_of(labels: np.ndarray) -> np.ndarray:
    return np.array([(9, 9, 9), (255, 0, 0), (0, 255, 0), (0, 0, 255)], np.uint8)[labels]


def test_png_colors_are_structures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = ring_labels()
    labels[:, 30:][labels[:, 30:] == 2] = 3  # the wall in two colors
    for patient in range(3):
        folder = tmp_path / "masks" / f"p{patient}"
        folder.mkdir(parents=True)
        for number, plane in enumerate(colors_of(labels)):
            sitk.WriteImage(sitk.GetImageFromArray(plane, isVector=True), folder / f"{number}.png")
    rest = ["--png-pixel-size", "1", "--pixel-size", "1", "-s", str(tmp_path / "masks")]
    words = ["--structure", "cavity=#ff0000", "--structure", "wall=#00ff00,#0000FF"]
    assert run(["prepare", str(tmp_path / "colors"), *words, *rest]) == 0
    by_color = TrainingSet.open(tmp_path / "colors")
    paths = [save(tmp_path / f"p{number}.nii.gz", labels, (1.0, 1.0, 1.0)) for number in range(3)]
    table = table_of_words(["cavity=1", "wall=2,3"], [])
    by_label = prepare(tmp_path / "labels", paths, settings=PrepareSettings(pixel_size=1.0), table=table)
    np.testing.assert_array_equal(by_color.masks[slice(None)], TrainingSet.open(by_label).masks[slice(None)])
    capsys.readouterr()
    words[-1] = "wall=#123456,#654321"
    assert run(["prepare", str(tmp_path / "other"), *words, *rest]) == 2
    said = (
        f"No volume shows the structure wall: no pixel of {tmp_path / 'masks' / 'p0'} has its color #123456 or #654321"
    )
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "other").exists()


def test_a_request_may_name_several(tmp_path: Path) -> None:
    masks, _ = patients(tmp_path)
    table = TABLE.model_dump(mode="json")
    sources = [{"segmentations": [str(path) for path in masks]}]
    request = {"schema": "topogan.prepare-request/1", "sources": sources, "table": table}
    (tmp_path / "request").mkdir()
    (tmp_path / "request" / "request.json").write_text(json.dumps(request))
    prepare_as_requested(tmp_path / "request", tmp_path / "set", TrainSettings(part=Part.MASKS), lambda event: None)
    assert TrainingSet.open(tmp_path / "set").table == TABLE


@pytest.mark.parametrize("images", [True, False])
def test_the_preview_has_the_colors_of_the_structures(
    images: bool, tmp_path: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    folder = prepared
    if not images:
        folder = prepare(tmp_path / "out", patients(tmp_path)[0], settings=PrepareSettings(), table=TABLE)
    picture = (imread(folder / "preview.png")[..., :3] * 255).round().astype(int).reshape(-1, 3)
    shown = {tuple(color) for color in np.unique(picture, axis=0).tolist()}
    for structure in TABLE.structures:
        assert tuple(int(structure.color[start : start + 2], 16) for start in (1, 3, 5)) in shown


def test_a_table_of_one_is_that_structure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    masks, scans = patients(tmp_path)
    settings = PrepareSettings(structure="wall", labels=(2,))
    one = prepare(tmp_path / "one", masks, scans, settings)
    other = prepare(tmp_path / "other", masks, scans, table=table_of_words(["wall=2"], []))
    for name in ("masks.npy", "images.npy", "slices.csv", "diagrams.npz", "preview.png", "dataset.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    assert StructureTable.of_one(settings) == TrainingSet.open(other).table
