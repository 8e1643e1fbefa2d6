"""The synthesis folder: its files, and how many pixels both sides read of it, for it may be a stranger's.

Samples are slices (``axes`` 2) or volumes (3). Slices lie in two stacks, ``masks.nrrd`` and ``textures.nrrd``; a volume
has a file for its mask and one for its texture, :func:`mask_file` and :func:`texture_file`, without stacks
(:mod:`topogan_contract.stacks`). Masks hold label ids: n is structure n of the table, counted from 1. *Regions* are the
structures, then the unions of some ("a + b"). Diagrams (:mod:`topogan_contract.diagrams`) lie sample by sample, and in
a sample region by region; they count in pixels, which they name as (row, column), of volumes as (slice, row, column).

Volumes have edges of one length and lie as the identity in LPS: columns to the patient's left, rows to the back, slices
to the head, the first voxel at the origin.

``report.json`` of the second schema says, beside counts and settings:

- ``axes``: 2 for slices, 3 for volumes; 2 where it is missing;
- ``count`` samples of ``size`` pixels along each axis, of ``pixel_size_mm``;
- ``center``: of slices, what they lie around as ``topogan prepare --center`` names it, "slice" or "volume"; "slice"
  where it is missing;
- ``table``: ``structures``, each with ``name``, ``color`` and ``terminology``, and ``unions``, lists of names;
  structures with ``context`` true come last, have labels and are no region;
- ``regions``: for each ``name``, ``valid_percent``, ``expected_betti`` ([b0, b1]; null where it depends on the level),
  ``betti_histogram`` and ``betti_histogram_before_cleaning`` ({"1,1": samples}), ``area_mm2`` (``mean``, ``smallest``,
  ``largest``); of volumes [b0, b1, b2], {"1,0,0": samples} and ``volume_ml`` in its place (:data:`SIZE_NAMES`);
  and ``real``, how long the bars of real masks are (:mod:`topogan_contract.real_bars`), which may be missing;
- ``valid_percent``: samples of which every structure is valid;
- ``requested_betti``: null, "real", or for each region [b0, b1] (of volumes [b0, b1, b2]), "real" or null;
- ``copies_left_out``: how many possible copies of training samples were drawn again; missing where nobody looked;
  ``copies_bar``: with how many (``held_out``) masks of which ``part`` they were compared; missing in older files, too;
- ``privacy``: how close samples of the model come to patients, a sentence of :mod:`topogan_contract.privacy`; missing
  where the model has no figures;
- ``levels``: the ``lowest`` and ``highest`` level, 0 to 1, or null where the model knows none, as of volumes.

The first schema knows one structure: ``structure`` is its name, ``expected_betti`` and both histograms stand beside it,
``requested_betti`` is one pair, and the columns of ``samples.csv`` are ``b0``, ``b1``, ``verdict`` and ``area_mm2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topogan_contract.sizes import VOLUME_SIZES

REPORT_FILE = "report.json"
MASKS_FILE = "masks.nrrd"
TEXTURES_FILE = "textures.nrrd"
DIAGRAMS_FILE = "diagrams.npz"
SAMPLES_FILE = "samples.csv"
EXPORT_FILE = "topogan.json"
"""In a folder of exported samples: their ``layout``, that they are ``synthetic``, what is ``said`` of them, which
``samples`` of the synthesis they are, and of ``privacy`` what to know before they are shared, where that is known."""
MOST_PIXELS = 1 << 28
"""Of all samples of a folder together: whoever reads it holds them all."""

VALID = "valid"
"""What a verdict on a region begins with where nothing is wrong."""
SIZE_NAMES = {2: "area_mm2", 3: "volume_ml"}
"""What the size of a structure is called: of slices, of volumes."""


def mask_file(sample: int) -> str:
    """Path in the folder of the mask of a volume: a segmentation that Slicer opens by its name."""
    return f"volumes/{sample:05d}_mask.seg.nrrd"


def texture_file(sample: int) -> str:
    """Path in the folder of the texture of a volume; missing where the model paints none."""
    return f"volumes/{sample:05d}_texture.nrrd"


def region_columns(name: str, axes: int = 2) -> tuple[str, ...]:
    """The columns of ``samples.csv`` on one region: its Betti numbers, one for each axis, and last the verdict.

    Before them stand ``sample``, ``seed`` and ``level`` (or empty).
    """
    return (*(f"b{dimension} {name}" for dimension in range(axes)), f"verdict {name}")


def size_column(name: str, axes: int = 2) -> str:
    """The column of ``samples.csv`` with the area of a structure in mm², of volumes its volume in ml."""
    return f"{SIZE_NAMES[axes]} {name}"


def real_column(name: str) -> str:
    """The column of ``samples.csv`` that says how many real samples have the same Betti numbers of a region, in %.

    Of real slices those of the sample's level count, where it has one. Folders of models that know no real topologies,
    and those of earlier versions, have no such column.
    """
    return f"real % {name}"


def axes_of(report: Mapping[str, Any]) -> int:
    """2 where ``report.json`` tells of slices, 3 of volumes.

    Raises:
        ValueError: it tells of something else.
    """
    axes = report.get("axes", 2)
    if type(axes) is not int or axes not in SIZE_NAMES:
        raise ValueError("axes are 2 or 3")
    return axes


def volumes_of(report: Mapping[str, Any]) -> tuple[int, int]:
    """How many volumes ``report.json`` tells of, and their edge in voxels.

    Raises:
        ValueError: no folder holds so many, or volumes of that size.
    """
    count, size = report.get("count"), report.get("size")
    if type(count) is not int or type(size) is not int or size not in VOLUME_SIZES:
        raise ValueError(f"volumes have {', '.join(map(str, VOLUME_SIZES))} voxels along an edge")
    if not 0 < count <= MOST_PIXELS // size**3:
        raise ValueError("more volumes than a synthesis holds")
    return count, size
