"""Simulated hearts for Slicer's Sample Data: the engine makes them in the background, and they come as sequences."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from topogan_contract.schemas import PHANTOM, find_json
from topogan_contract.stacks import Segment
from TopoGANLib.engine.process import Engine, EngineProcess
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.background import Background
from TopoGANLib.forms.connections import Connections
from TopoGANLib.scene.segments import add_segments

SAMPLE_NAME = "TopoGANHearts"
_PATIENTS, _PHASES = 3, 4
_TICK_MILLISECONDS = 200
# Of Okabe and Ito, told apart by color-blind readers.
_COLORS = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00")
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class _Heart:
    """One patient, as read from the engine's files."""

    images: np.ndarray
    """int16 [phase, k, j, i], HU."""
    labels: np.ndarray
    """uint8, the same shape."""
    ijk_to_ras: np.ndarray
    """float [4, 4], mm."""
    structures: tuple[Segment, ...]


class SampleHearts:
    """Makes the hearts and puts them into the scene; one request at a time. Nothing waits."""

    def __init__(
        self, engine: Callable[[], Engine], say: Callable[[str], None], complain: Callable[[str], None]
    ) -> None:
        """Nothing is made yet.

        Args:
            engine: which Python makes them.
            say: takes words on how it goes.
            complain: takes a sentence on what went wrong.
        """
        self._engine, self._say, self._complain = engine, say, complain
        self._folder = Path()
        self._process: EngineProcess | None = None
        self._reading: Background[list[_Heart]] | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)

    @property
    def busy(self) -> bool:
        """Whether hearts are being made."""
        return self._process is not None

    def make(self, source: Any = None) -> None:
        """Begin; Sample Data calls it with what the user has clicked on."""
        if self.busy:
            return
        self._folder = user_settings.new_work_folder("hearts")
        words = ["phantom", self._folder / "phantom", f"--patients={_PATIENTS}", f"--phases={_PHASES}"]
        try:
            self._process = self._engine().start(words, self._folder / "engine.txt")
        except OSError as error:
            self._complain(
                _("The engine cannot be started ({reason}): see TopoGAN Train.").format(reason=error.strerror)
            )
            return
        self._say(_("TopoGAN simulates three beating hearts …"))
        self._timer.start()

    def close(self) -> None:
        """Give up what is not ready."""
        self._timer.stop()
        self._connections.close()
        if self._process is not None:
            self._end(self._process)

    def _tick(self) -> None:
        process = self._process
        code = None if process is None else process.exit_code()
        if process is None or code is None:
            return
        if code != 0:
            self._end(process)
            self._complain(_("{reason} See Engine in TopoGAN Train.").format(reason=process.complaint()))
            return
        if self._reading is None:
            folder = self._folder / "phantom"
            self._reading = Background(lambda: _read(folder), _("There is not enough memory for the hearts."))
        if not self._reading.done():
            return
        hearts, error = self._reading.result, self._reading.error
        self._end(process)
        if hearts is None:
            self._complain(error)
            return
        for number, heart in enumerate(hearts, start=1):
            _add(slicer.mrmlScene, f"Simulated heart {number}", heart)
        self._say(_("The hearts are in the scene: TopoGAN Train can learn from them."))

    def _end(self, process: EngineProcess) -> None:
        process.kill()
        self._timer.stop()
        self._process = self._reading = None


def register(hearts: SampleHearts) -> None:
    """Offer the hearts in the module Sample Data."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Cardiac", sampleName=SAMPLE_NAME, uris="", customDownloader=hearts.make
    )


def _read(folder: Path) -> list[_Heart]:
    """Read what ``topogan phantom`` has made, and remove it.

    Raises:
        ValueError: it is not there, or not as this version makes it.
        OSError: it cannot be read.
    """
    import SimpleITK as sitk

    content = find_json(folder / "phantom.json", PHANTOM)
    if content is None:
        raise ValueError(
            _("The engine made no hearts in {folder}: look whether the disk is full.").format(folder=folder)
        )
    structures = tuple(
        Segment(name, int(label), color)
        for (name, label), color in zip(content["structures"].items(), _COLORS, strict=True)
    )
    hearts = []
    for path in sorted((folder / "images").iterdir()):
        image = sitk.ReadImage(str(path))
        labels = sitk.ReadImage(str(next((folder / "segmentations").glob(f"{path.name}*"))))
        matrix = np.eye(4)
        # Of the four axes of a series, time is the last.
        matrix[:3, :3] = np.reshape(image.GetDirection(), (4, 4))[:3, :3] * image.GetSpacing()[:3]
        matrix[:3, 3] = image.GetOrigin()[:3]
        arrays = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(labels)
        hearts.append(_Heart(*arrays, _TO_RAS @ matrix, structures))
    shutil.rmtree(folder, ignore_errors=True)
    return hearts


def _add(scene: slicer.vtkMRMLScene, name: str, heart: _Heart) -> slicer.vtkMRMLSequenceBrowserNode:
    """Add a CT and its segmentation as sequences of phases, and the browser that plays both."""
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", scene.GenerateUniqueName(name))
    volume, segmentation = slicer.vtkMRMLScalarVolumeNode(), slicer.vtkMRMLSegmentationNode()
    volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(heart.ijk_to_ras))
    images, masks = (
        scene.AddNewNodeByClass("vtkMRMLSequenceNode", scene.GenerateUniqueName(f"{name} {what}"))
        for what in ("CT", "segmentation")
    )
    for sequence in (images, masks):
        sequence.SetIndexName("phase")
        sequence.SetIndexUnit("")
    for phase, (picture, labels) in enumerate(zip(heart.images, heart.labels, strict=True)):
        volume.SetName("CT")
        slicer.util.updateVolumeFromArray(volume, picture)
        images.SetDataNodeAtValue(volume, str(phase))
        segmentation.SetName("segmentation")
        segmentation.GetSegmentation().RemoveAllSegments()
        add_segments(segmentation, heart.structures, labels, heart.ijk_to_ras)
        masks.SetDataNodeAtValue(segmentation, str(phase))
    for sequence in (images, masks):
        browser.AddSynchronizedSequenceNode(sequence)
    browser.SetSelectedItemNumber(0)
    return browser
