"""Turn volumes and segmentations into a training set."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

from topogan.config import Center, Intensity, PrepareSettings
from topogan.dataset.centering import with_centers
from topogan.dataset.check_file import write_check
from topogan.dataset.chunks import CaseReader
from topogan.dataset.context import context_structures
from topogan.dataset.cut import Patches
from topogan.dataset.inputs import Case, open_cases, plane_of_each
from topogan.dataset.plan import (
    PatchPlan,
    choose_pixel_size,
    image_pixel_size,
    large_enough,
    plan_case,
    smallest_pixel_size,
    widest_slice,
)
from topogan.dataset.preview import write_preview
from topogan.dataset.seen import check_structures, what_is_seen
from topogan.dataset.split import GAP, LEAST_PHASES, check_enough, split_in_turn, split_phases, split_slices
from topogan.dataset.volume_plan import plan_volumes, with_poses
from topogan.dataset.volume_preview import write_volume_preview
from topogan.dataset.write import SliceRow, TrainingSetWriter, VolumeRow
from topogan.errors import Cancelled, InputError
from topogan.files import check_new_folder, staged_folder
from topogan.plane import Plane
from topogan.structures import StructureTable, checked_table, refuse_unaskable_names
from topogan.training_set import MINIMUM_TRAIN_SLICES, SCHEMA, TRAIN, TrainingSet
from topogan_contract.sizes import pixel_size_in_words

BETTI_WORDS = "pieces, tunnels, cavities"
OnEvent = Callable[[dict[str, Any]], None]
Split = dict[PatchPlan, str]


def prepare(
    out: Path,
    segmentations: Sequence[Path],
    images: Sequence[Path] | None = None,
    settings: PrepareSettings | None = None,
    patients: Sequence[Hashable] | None = None,
    plane: Plane = "axial",
    overwrite: bool = False,
    on_event: OnEvent | None = None,
    train_slices: int = MINIMUM_TRAIN_SLICES,
    cancelled: Callable[[], bool] | None = None,
    table: StructureTable | None = None,
    reference: bool = False,
) -> Path:
    """Cut patches around structures out of volumes and write them as a training set.

    Volumes are read twice, one phase at a time: first to find where the structure is, then to cut. Everything is
    checked as early as it can be known, and nothing is written unless all of it is.

    Args:
        out: folder to write.
        segmentations: label volumes (NIfTI, NRRD, MHA, PNG folder); phases of one file belong to one patient.
        images: their images in the same order (also DICOM folders); None or empty for masks alone.
        settings: labels, patch size, mm per pixel, window, split.
        patients: whom each volume belongs to, by any names (pseudonyms are written); several volumes of one are its
            phases, in order. None: each its own patient.
        plane: ``"axial"``, Slicer's 4×4 SliceToRAS matrix, or one for each volume (None: axial); only
            their directions count.
        overwrite: replace an older training set at ``out``.
        on_event: takes progress events of the stages ``measure`` and ``cut``.
        train_slices: refuse fewer training slices than this, before any patch is cut.
        table: the structures, in the order in which they win; None: the one that ``settings`` name.
        reference: samples are compared with the set, and nothing learns from it: slices of a single patient are for
            training and test in turn.
        cancelled: is asked between phases and chunks of patches; if it says yes, nothing is left.

    Returns:
        ``out``.

    Raises:
        InputError: one sentence on the first input that cannot be used.
        Cancelled: on request.
    """
    out, settings = Path(out), settings or PrepareSettings()
    remarks: list[str] = []

    def report(event: dict[str, Any]) -> None:
        if event["kind"] == "message":
            remarks.append(event["text"])
        if on_event:
            on_event(event)

    def go_on() -> None:
        if cancelled and cancelled():
            raise Cancelled("The preparation was stopped.")

    check_new_folder(out, overwrite, SCHEMA)
    table = table or StructureTable.of_one(settings)
    refuse_unaskable_names(table)
    every = _with_context(table, settings, bool(images))
    cases = open_cases(segmentations, images, settings, table, patients, plane)
    pixel_size, smallest, plans, center = _plan(cases, settings, report, go_on)
    settings = settings.model_copy(update={"center": center})
    splits, independent = _split(cases, plans, settings, train_slices, reference)
    own = image_pixel_size(cases, settings.axes)
    with staged_folder(out, overwrite, SCHEMA) as folder:
        patches = Patches(settings.size, pixel_size, settings.axes)
        with TrainingSetWriter(folder, settings, every, patches, with_images=bool(images)) as writer:
            for number, (case, split) in enumerate(zip(cases, splits, strict=True), start=1):
                reader = CaseReader(case, settings, patches)
                for chunk in reader.chunks(list(split)):
                    go_on()
                    writer.add_chunk(chunk, case, [split[plan] for plan in chunk.plans])
                writer.add_volume(case.patient, reader.content_hash)
                report({"kind": "step", "stage": "cut", "step": number, "total": len(cases), "values": {}})
                go_on()
        poses = settings.poses if settings.volumes else None
        check_enough([row.split for row in writer.rows], len(writer.rows), train_slices, poses)
        shown = zip(writer.rows, writer.seen, strict=True)
        check_structures(every, [ids for row, ids in shown if row.split == TRAIN])
        axial = all(one is None for one in plane_of_each(plane, len(cases)))
        writer.describe("axial" if axial else "given", independent, own)
        for said in writer.resampling.in_words(settings.size, pixel_size, smallest):
            report({"kind": "message", "text": said})
        summary = _look_at(folder, writer.rows, remarks)
    report({"kind": "message", "text": summary})
    return out


def _with_context(table: StructureTable, settings: PrepareSettings, images: bool) -> StructureTable:
    """The table with what is to be found in the images besides."""
    if not settings.context:
        return table
    if not images or settings.intensity is not Intensity.HU:
        why = "the intensity is 'arbitrary'" if images else "there are no images"
        raise InputError(f"The context is found in CT in HU, and {why}: leave the setting context out.")
    found = context_structures(settings.context)
    return checked_table({"structures": [*table.structures, *found], "unions": table.unions})


def _look_at(folder: Path, rows: Sequence[SliceRow | VolumeRow], remarks: Sequence[str]) -> str:
    """Draw the preview, judge and sum up; the arrays are closed on return, else Windows could not rename the folder."""
    training_set = TrainingSet.open(folder)
    draw = write_preview if training_set.axes == 2 else write_volume_preview
    draw(training_set, folder / "preview.png")
    write_check(folder, training_set, rows, remarks)
    return _summary(training_set)


def _plan(
    cases: list[Case],
    settings: PrepareSettings,
    report: OnEvent,
    go_on: Callable[[], None],
) -> tuple[float, float, list[list[PatchPlan]], Center]:
    """First pass: return mm per pixel, the least that would do, the patches of each case, and what they lie around."""
    tile_pixel = (settings.pixel_size or cases[0].frame.pitch) if settings.tiling else 0.0
    found = []
    for number, case in enumerate(cases, start=1):
        if settings.volumes:
            found.append(plan_volumes(case, go_on))
        else:
            found.append(plan_case(case, settings, settings.size * tile_pixel, go_on))
        report({"kind": "step", "stage": "measure", "step": number, "total": len(cases), "values": {}})
    plans, center = with_centers(cases, found, settings)
    for said in what_is_seen(cases, plans):
        report({"kind": "message", "text": said})
    pixel_size = tile_pixel or choose_pixel_size(cases, plans, settings)
    smallest = smallest_pixel_size(cases, plans, settings)
    plans = [large_enough(plan, pixel_size) for plan in plans]
    width = 0.0 if settings.tiling else widest_slice(plans)
    own = image_pixel_size(cases, settings.axes)
    meaning = pixel_size_in_words(settings.size, pixel_size, width, own, settings.axes)
    report({"kind": "message", "text": f"{meaning}."})
    if center is Center.VOLUME and not settings.volumes:
        report({"kind": "message", "text": "Patches lie around what all slices of a phase show together."})
    noun = "volume" if settings.volumes else "patch"
    for count, one, several in (
        (sum(plan.too_small for plan in plans), "is too small and is", "are too small and are"),
        (sum(plan.outside for plan in plans), "reaches beyond the image and is", "reach beyond the image and are"),
    ):
        if count:
            what = f"{noun} {one}" if count == 1 else f"{noun}{'s' if settings.volumes else 'es'} {several}"
            report({"kind": "message", "text": f"{count} {what} left out."})
    if settings.volumes:
        plans = [with_poses(plan, number, settings, pixel_size) for number, plan in enumerate(plans)]
    return pixel_size, smallest, [plan.patches for plan in plans], center


def _split(
    cases: list[Case], plans: list[list[PatchPlan]], settings: PrepareSettings, train_slices: int, reference: bool
) -> tuple[list[Split], bool]:
    """Return the part of each patch, case by case and without those of the gaps; and whether parts are independent."""
    patients = [case.patient for case, patches in zip(cases, plans, strict=True) for _ in patches]
    levels = [patch.level for patches in plans for patch in patches]
    poses = settings.poses if settings.volumes else None
    if not levels:
        check_enough([], 0, train_slices, poses)
    phases = [case.first_phase + patch.phase for case, patches in zip(cases, plans, strict=True) for patch in patches]
    one = settings.volumes and len(set(patients)) == 1
    if one and len(set(phases)) < LEAST_PHASES:
        raise InputError(
            f"All volumes are of one patient with {len(set(phases))} phase{'s' if len(set(phases)) > 1 else ''}, which "
            f"leaves none to test on: add patients, or give at least {LEAST_PHASES} phases."
        )
    for validation in (settings.validation, 0.0):  # what is too little for three parts may do for two
        if one:
            parts, independent = split_phases(phases, validation, settings.test, settings.seed), False
        elif reference and len(set(patients)) == 1:
            parts, independent = split_in_turn(levels), False
        else:
            parts, independent = split_slices(patients, levels, validation, settings.test, settings.seed)
        if parts.count(TRAIN) >= MINIMUM_TRAIN_SLICES:
            break
    check_enough(parts, len(parts), train_slices, poses)
    remaining = iter(parts)
    splits = [{patch: next(remaining) for patch in patches} for patches in plans]
    return [{patch: part for patch, part in split.items() if part != GAP} for split in splits], independent


def _summary(training_set: TrainingSet) -> str:
    share = (training_set.betti[training_set.train] == training_set.modal_betti).all(axis=(1, 2)).mean()
    patients = len(set(training_set.patients))
    origin = f"{patients} patients" if training_set.independent else "one patient (not independent)"
    regions = list(zip(training_set.regions, training_set.modal_betti, strict=True))
    modal = ", ".join(f"{region.name} {numbers}" for region, numbers in regions if any(numbers))
    modal = f"most often {modal}," if len(regions) > 1 else str(training_set.modal_betti[0])
    samples = f"{training_set.noun}s"
    unit, counted = ("pixels", "components, holes") if training_set.axes == 2 else ("voxels", BETTI_WORDS)
    return (
        f"{training_set.table.title}: {len(training_set.train)} {samples} to train on, {len(training_set.validation)} "
        f"for validation and {len(training_set.test)} for the test, of {origin}; "
        f"{' x '.join([str(training_set.size)] * training_set.axes)} {unit} of {training_set.pixel_size:.3g} mm; "
        f"({counted}) is {modal} in {share:.0%} of the training {samples}. {training_set.missing_parts}"
    ).rstrip()
