"""The sets of volumes: 32³ voxels, every phase in ten poses (of the few atria thirty), split by patient; one of 64³."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from ablation.data import present
from scipy.ndimage import distance_transform_edt

from topogan.config import PhantomSettings, PrepareSettings
from topogan.dataset import prepare
from topogan.phantom import make_phantom
from topogan.phantom.tissues import STRUCTURES
from topogan.plane import read_plane
from topogan.structures import Structure, StructureTable, colored
from topogan.volumes import find_pairs

_SIZE, _POSES, _POSES_OF_ATRIA = 32, 10, 30
# The wall of the phantom's left ventricle is two to three voxels thick.
_VOXEL = 3.4
_FINE_SIZE, _FINE_VOXEL, _FINE_POSES = 64, 1.7, 3
_PATIENTS = PhantomSettings(patients=24, phases=4)
# As thick as two voxels of its own size, which the largest needs to lie in its cube.
_SHELL_MM, _SHELL_VOXEL = 8.0, 3.9
_THREE = ("lv_cavity", "myocardium", "rv_cavity")


def _settings(**more: object) -> PrepareSettings:
    return PrepareSettings.model_validate({"volumes": True, "size": _SIZE, "poses": _POSES, **more})


def _myocardium(out: Path, **more: object) -> None:
    """The phantom's myocardium along its short axis: a cup, (1, 0, 0)."""
    with tempfile.TemporaryDirectory() as scratch:
        phantom = make_phantom(Path(scratch) / "phantom", _PATIENTS)
        segmentations, _ = find_pairs([phantom / "segmentations"])
        words = {"structure": "myocardium", "labels": (STRUCTURES["myocardium"],), "pixel_size": _VOXEL, **more}
        prepare(out, segmentations, settings=_settings(**words), plane=read_plane(str(phantom / "planes.json")))


def _fine_myocardium(out: Path) -> None:
    """The same, twice as fine."""
    _myocardium(out, size=_FINE_SIZE, pixel_size=_FINE_VOXEL, poses=_FINE_POSES)


def _shell(out: Path) -> None:
    """A layer around the cavity of the left ventricle, closed: (1, 0, 1). No anatomy; it has a cavity to learn."""
    with tempfile.TemporaryDirectory() as scratch:
        phantom = make_phantom(Path(scratch) / "phantom", _PATIENTS)
        shells = []
        for path in sorted((phantom / "segmentations").iterdir()):
            image = sitk.ReadImage(str(path))
            spacing = image.GetSpacing()[2::-1]
            phases = sitk.GetArrayFromImage(image) == STRUCTURES["lv_cavity"]
            distances = np.stack([distance_transform_edt(~cavity, sampling=spacing) for cavity in phases])
            shell = ((distances > 0) & (distances <= _SHELL_MM)).astype(np.uint8)
            drawn = sitk.JoinSeries([sitk.GetImageFromArray(phase) for phase in shell])
            drawn.CopyInformation(image)
            shells.append(Path(scratch) / path.name)
            sitk.WriteImage(drawn, str(shells[-1]))
        settings = _settings(structure="shell", pixel_size=_SHELL_VOXEL)
        prepare(out, shells, settings=settings, plane=read_plane(str(phantom / "planes.json")))


def _three(out: Path) -> None:
    """Both ventricles and the wall of the left one."""
    with tempfile.TemporaryDirectory() as scratch:
        phantom = make_phantom(Path(scratch) / "phantom", _PATIENTS)
        segmentations, _ = find_pairs([phantom / "segmentations"])
        table = StructureTable(
            structures=tuple(
                Structure(name=name, labels=(STRUCTURES[name],), color=colored(number))
                for number, name in enumerate(_THREE)
            )
        )
        prepare(out, segmentations, settings=_settings(), plane=read_plane(str(phantom / "planes.json")), table=table)


def _atrium(out: Path) -> None:
    """Left atria of twenty patients, axial."""
    segmentations, _ = find_pairs([present("msd_task02_left_atrium_masks")])
    prepare(out, segmentations, settings=_settings(structure="left atrium", poses=_POSES_OF_ATRIA))


VOLUME_SETS: dict[str, Callable[[Path], None]] = {
    "volume_myocardium": _myocardium,
    "volume_myocardium_64": _fine_myocardium,
    "volume_shell": _shell,
    "volume_atrium": _atrium,
    "volume_three": _three,
}
