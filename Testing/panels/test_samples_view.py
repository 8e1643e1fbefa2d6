"""The sheet of samples: the small picture, and the whole of it in a slice view."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from standin import StandIn

CLASS = "vtkMRMLVectorVolumeNode"
RED, BLUE = (255, 0, 0), (0, 0, 255)


def sheet(rows: int = 40, columns: int = 60) -> np.ndarray:
    """Grey, with a red corner above on the left and a blue one below on the right."""
    picture = np.full((rows, columns, 3), 128, np.uint8)
    picture[:10, :15] = RED
    picture[-10:, -15:] = BLUE
    return picture


def write(run: Path, name: str, picture: np.ndarray) -> Path:
    """As the engine does it, with the same library, which writes four channels."""
    from matplotlib.image import imsave

    (run / "previews").mkdir(parents=True, exist_ok=True)
    path = run / "previews" / f"{name}.png"
    imsave(path, picture, cmap="gray", vmin=0.0, vmax=1.0)
    return path


@pytest.fixture
def ui(application: StandIn) -> Iterator[Any]:
    """The widgets of the form that the view works with."""
    import slicer

    path = Path(__file__).resolve().parents[2] / "TopoGANTrain" / "Resources" / "UI" / "TopoGANTrainRun.ui"
    form = slicer.util.loadUI(str(path))
    widgets = slicer.util.childWidgetVariables(form)
    form.show()
    yield widgets
    form.close()


def red_view() -> Any:
    import slicer

    return slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red")


def drawn(width: int = 300, height: int = 200) -> np.ndarray:
    """The Red view as it is, uint8 [height, width, 3]."""
    import slicer

    from TopoGANLib.headless.rendering import SliceViewPicture

    return SliceViewPicture(slicer.app.applicationLogic(), "Red", width, height).draw()


@pytest.mark.parametrize("plane", ["Axial", "Sagittal", "oblique"])
def test_the_sheet_is_upright_in_the_red_view_which_is_given_back(
    application: StandIn, tmp_path: Path, plane: str
) -> None:
    """Whatever plane it shows: it is not turned, for patches may be cut in that plane."""
    import qt
    import slicer

    from TopoGANTrainLib.run.sheet import SheetView, add_sheet, fill_sheet

    red, composite = red_view().GetSliceNode(), red_view().GetSliceCompositeNode()
    ct = slicer.util.addVolumeFromArray(np.zeros((20, 30, 40), np.int16), np.diag([1.0, 1.0, 2.0, 1.0]), "CT")
    composite.SetBackgroundVolumeID(ct.GetID())
    if plane == "oblique":
        red.SetSliceToRASByNTP(0.6, 0.0, 0.8, 0.0, 1.0, 0.0, 5.0, 6.0, 7.0, 0)
    else:
        red.SetOrientation(plane)
    red.SetFieldOfView(33, 22, 1)
    matrix = slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS())
    volume = add_sheet(slicer.mrmlScene)
    fill_sheet(volume, qt.QImage(str(write(tmp_path, "masks-00000010", sheet()))))
    view = SheetView(slicer.app.applicationLogic(), lambda: None)
    view.show(volume)
    assert view.shows and composite.GetBackgroundVolumeID() == volume.GetID()
    turned = slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS())
    assert np.array_equal(turned[:3, :3], matrix[:3, :3])
    picture = drawn()
    assert picture[5, 5].tolist() == list(RED), "above on the left"
    assert picture[-5, -5].tolist() == list(BLUE), "below on the right"
    assert picture[100, 150].tolist() == [128, 128, 128]
    fill_sheet(volume, qt.QImage(str(write(tmp_path, "masks-00000020", sheet(80, 120)))))
    view.fit()
    assert drawn()[5, 5].tolist() == list(RED)
    assert not volume.GetSaveWithScene()
    assert not volume.GetDisplayNode().GetSaveWithScene()
    view.give_back()
    assert not view.shows and composite.GetBackgroundVolumeID() == ct.GetID()
    assert np.allclose(slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS()), matrix)
    assert red.GetFieldOfView()[0] == 33


def test_who_chooses_another_volume_keeps_it(ui: Any, tmp_path: Path) -> None:
    import slicer

    from TopoGANTrainLib.run.samples_view import SamplesView

    button = ui.showSamplesButton
    first, other = (slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), None, name) for name in "ab")
    composite = red_view().GetSliceCompositeNode()
    composite.SetBackgroundVolumeID(first.GetID())
    write(tmp_path, "masks-00000010", sheet())
    view = SamplesView(ui)
    view.follow(tmp_path)
    button.click()
    assert button.text == "Give the Red view back"
    composite.SetBackgroundVolumeID(other.GetID())
    assert button.text == "Show in slice view"
    view.close()
    assert composite.GetBackgroundVolumeID() == other.GetID()
    again = SamplesView(ui)
    again.follow(tmp_path)
    button.click()
    button.click()
    assert composite.GetBackgroundVolumeID() == other.GetID()
    button.click()
    slicer.mrmlScene.RemoveNode(other)
    again.close()
    assert composite.GetBackgroundVolumeID() is None, "the sheet does not stay there when the panel is closed"


@pytest.mark.parametrize("picture", [np.linspace(0, 1, 200).reshape(10, 20), sheet()], ids=["grey", "colors"])
def test_what_is_in_the_volume(application: StandIn, tmp_path: Path, picture: np.ndarray) -> None:
    import qt
    import slicer

    from TopoGANTrainLib.run.sheet import add_sheet, fill_sheet

    volume = add_sheet(slicer.mrmlScene)
    fill_sheet(volume, qt.QImage(str(write(tmp_path, "masks-00000010", picture))))
    wanted = picture if picture.ndim == 3 else np.repeat(np.rint(picture * 255)[..., None], 3, axis=-1)
    assert np.abs(slicer.util.arrayFromVolume(volume)[0].astype(int) - wanted).max() <= 2, (
        "matplotlib's own steps of grey"
    )
    bounds = [0.0] * 6
    volume.GetRASBounds(bounds)
    assert np.allclose(np.add(bounds[::2], bounds[1::2])[:2], 0), "the middle is at the origin"


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_a_damaged_picture_changes_nothing(ui: Any, tmp_path: Path, data: bytes) -> None:
    import slicer

    from TopoGANTrainLib.run.samples_view import SamplesView

    view = SamplesView(ui)
    path = write(tmp_path, "masks-00000010", sheet())
    view.follow(tmp_path)
    ui.showSamplesButton.click()
    volume = slicer.mrmlScene.GetFirstNodeByClass(CLASS)
    before = slicer.util.arrayFromVolume(volume).copy()
    path.with_name("masks-00000020.png").write_bytes(data)
    view.follow(tmp_path)
    assert np.array_equal(slicer.util.arrayFromVolume(volume), before)
    assert ui.previewLabel.visible
    ui.showSamplesButton.click()
    assert np.array_equal(slicer.util.arrayFromVolume(volume), before)
    view.close()


def test_the_newest_one_is_shown_in_place(ui: Any, tmp_path: Path) -> None:
    import slicer

    from TopoGANTrainLib.run.samples_view import SamplesView

    view = SamplesView(ui)
    view.follow(tmp_path)
    assert not ui.previewLabel.visible
    assert not ui.showSamplesButton.visible
    write(tmp_path, "masks-00000010", sheet())
    view.follow(tmp_path)
    assert ui.previewLabel.visible
    assert slicer.mrmlScene.GetNumberOfNodesByClass(CLASS) == 0, "nobody has asked for it"
    ui.showSamplesButton.click()
    volume = slicer.mrmlScene.GetFirstNodeByClass(CLASS)
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    for step in range(20, 60, 10):
        write(tmp_path, f"masks-{step:08d}", sheet(step, step))
        view.follow(tmp_path)
        assert slicer.util.arrayFromVolume(volume).shape == (1, step, step, 3)
    write(tmp_path, "textures-00000010", sheet(30, 90))
    view.follow(tmp_path)
    assert slicer.util.arrayFromVolume(volume).shape == (1, 30, 90, 3), "textures come after masks"
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes
    view.close()
    again = SamplesView(ui)
    again.follow(tmp_path)
    ui.showSamplesButton.click()
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes, "found again after a reload"
    again.close()


def test_a_sheet_of_another_size_is_fitted_where_it_is_shown(ui: Any, tmp_path: Path) -> None:
    from TopoGANTrainLib.run.samples_view import SamplesView

    view = SamplesView(ui)
    write(tmp_path, "masks-00000010", sheet())
    view.follow(tmp_path)
    ui.showSamplesButton.click()
    before = red_view().GetSliceNode().GetFieldOfView()[:2]
    write(tmp_path, "textures-00000010", sheet(80, 120))
    view.follow(tmp_path)
    assert np.allclose(red_view().GetSliceNode().GetFieldOfView()[:2], np.multiply(before, 2))
    red_view().GetSliceNode().SetFieldOfView(10, 10, 1)
    write(tmp_path, "textures-00000020", sheet(80, 120))
    view.follow(tmp_path)
    assert red_view().GetSliceNode().GetFieldOfView()[0] == 10, "who has zoomed in stays there"
    red_view().GetSliceCompositeNode().SetBackgroundVolumeID(None)
    write(tmp_path, "textures-00000030", sheet(40, 60))
    view.follow(tmp_path)
    assert red_view().GetSliceNode().GetFieldOfView()[0] == 10, "the view shows something else"
    view.close()


def test_the_folder_is_looked_through_only_when_it_has_changed(
    ui: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from TopoGANTrainLib.run import samples_view

    looked: list[Path] = []
    real = samples_view._newest
    monkeypatch.setattr(samples_view, "_newest", lambda folder: looked.append(folder) or real(folder))
    write(tmp_path, "masks-00000010", sheet())
    view = samples_view.SamplesView(ui)
    for _ in range(50):
        view.follow(tmp_path)
    assert len(looked) == 1
    view.follow(None)
    assert not ui.previewLabel.visible
    view.close()
