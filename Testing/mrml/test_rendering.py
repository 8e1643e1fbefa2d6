"""Pictures drawn off-screen by Slicer's displayable managers, compared by what they show and not byte by byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import binary_dilation, binary_erosion

from TopoGANLib.headless import rendering
from TopoGANLib.headless.application import HeadlessSlicer, SceneError
from TopoGANLib.headless.charts import draw_chart
from TopoGANLib.headless.rendering import SliceViewPicture, tile, write_png
from TopoGANLib.scene.barcode import show_barcode
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.synthesis_folder import Synthesis, read_synthesis_folder
from TopoGANLib.scene.views import show_in_views

MAGNIFIED = 6
PIXELS = 64 * MAGNIFIED
OUTLINE = 3  # pixels by which the drawn outline may cross the edge of the mask
CAPTION_ROWS = 40

H0_BLUE = (0, 114, 178)
H1_VERMILION = (213, 94, 0)


def colored(picture: np.ndarray) -> np.ndarray:
    """Where a picture is not gray."""
    return picture.max(axis=2).astype(int) - picture.min(axis=2) > 15


def near(picture: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture.astype(int) - color).max(axis=2) < 30


def magnified(mask: np.ndarray) -> np.ndarray:
    return np.kron(mask, np.ones((MAGNIFIED, MAGNIFIED))).astype(bool)


@pytest.fixture
def view(headless: HeadlessSlicer, nodes: SynthesisNodes) -> SliceViewPicture:
    show_in_views(nodes, headless.application_logic)
    return SliceViewPicture(headless.application_logic, "Red", PIXELS, PIXELS)


@pytest.mark.parametrize("sample", [0, 3, 5])
def test_overlay_is_colored_where_the_mask_is(
    view: SliceViewPicture, nodes: SynthesisNodes, synthesis: Synthesis, sample: int
) -> None:
    overlay = colored(view.draw(nodes.sample_offset(sample)))
    mask = magnified(synthesis.masks[sample])
    assert overlay[binary_erosion(mask, iterations=OUTLINE)].mean() > 0.99
    assert overlay[~binary_dilation(mask, iterations=OUTLINE)].mean() == 0


def test_texture_under_the_overlay_is_the_sample(
    view: SliceViewPicture, nodes: SynthesisNodes, synthesis: Synthesis
) -> None:
    nodes.segmentation.SetDisplayVisibility(False)
    picture = view.draw(nodes.sample_offset(4))
    assert not colored(picture).any()
    centers = picture[MAGNIFIED // 2 :: MAGNIFIED, MAGNIFIED // 2 :: MAGNIFIED, 0].ravel()
    expected = np.clip((synthesis.textures[4] + 200) / 600, 0, 1).ravel() * 255
    assert np.abs(centers - expected).mean() < 5, "gray values follow the window, at the right places"


def test_masks_alone_are_drawn(headless: HeadlessSlicer, make_folder: Callable[..., Path]) -> None:
    synthesis = read_synthesis_folder(make_folder("masks", textures=False))
    nodes = build_scene(headless.scene, synthesis)
    show_in_views(nodes, headless.application_logic)
    picture = SliceViewPicture(headless.application_logic, "Red", PIXELS, PIXELS).draw(nodes.sample_offset(1))
    assert colored(picture)[binary_erosion(magnified(synthesis.masks[1]), iterations=OUTLINE)].mean() > 0.99
    assert picture[:40].max() == 0, "background of the masks is black"


def test_caption_is_written_into_the_lower_left_corner(view: SliceViewPicture, nodes: SynthesisNodes) -> None:
    plain = view.draw(nodes.sample_offset(0))
    titled = view.draw(nodes.sample_offset(0), "sample 0")
    changed = (plain != titled).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 50
    assert rows.min() > PIXELS - CAPTION_ROWS
    assert columns.max() < PIXELS // 2


def test_barcode_shows_each_dimension_in_its_color_at_its_length(nodes: SynthesisNodes) -> None:
    nodes.show_sample(4)
    picture = draw_chart(nodes.barcode, 900, 500)
    legend = np.zeros(picture.shape[:2], bool)
    legend[:110, 700:] = True
    pieces, holes = near(picture, H0_BLUE) & ~legend, near(picture, H1_VERMILION) & ~legend
    assert pieces.sum(axis=1).max() > 700, "a bar that never dies runs to the right edge"
    assert 350 < holes.sum(axis=1).max() < 780
    assert np.nonzero(holes)[0].mean() < np.nonzero(pieces)[0].mean(), "holes above pieces"
    assert (near(picture, H0_BLUE) & legend).any(), "legend"
    assert (near(picture, H1_VERMILION) & legend).any(), "legend"


def test_barcode_has_titles_and_axis_labels(nodes: SynthesisNodes) -> None:
    picture = draw_chart(nodes.barcode, 900, 500)
    dark = picture.max(axis=2) < 120
    assert dark[:32].sum() > 300, "title"
    assert dark[-30:].sum() > 200, "title of the x axis"
    assert dark[-60:-30].sum() > 100, "numbers on the x axis"
    assert dark[:, :30].sum() > 30, "title of the y axis"


def test_barcode_without_bars_is_an_empty_chart(nodes: SynthesisNodes) -> None:
    show_barcode(nodes.barcode, Diagram.empty(), 0, "nothing", longest=0, pixel=1.0)
    picture = draw_chart(nodes.barcode, 900, 500)
    assert not near(picture[120:], H0_BLUE).any()
    assert (picture.max(axis=2) < 120).any()


def test_barcode_of_many_bars_separates_them(nodes: SynthesisNodes) -> None:
    count = 40
    nowhere = np.full((count, 2), -1)
    many = Diagram(np.ones(count, int), np.zeros(count), np.full(count, 5.0), nowhere, nowhere)
    show_barcode(nodes.barcode, many, 0, "many", longest=5.0, pixel=1.0)
    column = near(draw_chart(nodes.barcode, 900, 700), H1_VERMILION)[:, 300]
    assert np.count_nonzero(np.diff(column.astype(int)) == 1) == count


def test_pictures_are_tiled_row_by_row() -> None:
    pictures = [np.full((10, 20, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = tile(pictures, columns=2, gap=4)
    assert sheet.shape == (2 * 14 + 4, 2 * 24 + 4, 3)
    assert [sheet[5, 5, 0], sheet[5, 30, 0], sheet[20, 5, 0], sheet[20, 30, 0]] == [10, 20, 30, 255]


def test_png_is_written_as_it_was_drawn(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    write_png(tmp_path / "picture.png", picture)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "picture.png"))), picture)


def test_a_computer_without_opengl_gets_a_sentence_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    class WindowOfLastResort:
        def IsA(self, name: str) -> bool:
            return name == "vtkOSOpenGLRenderWindow"

    monkeypatch.setattr(rendering.vtk, "vtkRenderWindow", WindowOfLastResort)
    monkeypatch.setattr(rendering, "find_library", lambda name: None)
    with pytest.raises(SceneError, match="need OpenGL, which this computer has not installed: install it"):
        rendering.check_rendering()
