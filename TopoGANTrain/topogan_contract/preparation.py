"""What a panel asks the engine to make a training set from.

That is the folder of ``topogan prepare SET --request FOLDER`` and of ``topogan train SET RUN --prepare FOLDER``.

``request.json`` has the schema :data:`topogan_contract.schemas.PREPARE_REQUEST` and::

    sources: a list of which each entry is either
        segmentations: absolute paths of files or folders
        images: the same for the images in the same order, or []
        patient: whose they are: one patient, of whom several volumes are the phases, in order; "" or missing: each
            volume is of a patient of its own
        plane: "axial", a 4x4 matrix (Slicer's SliceToRAS), or a list with one for each volume; missing: axial
    or
        cases: absolute path of a table of cases (``topogan prepare --cases``)
    settings: values of ``topogan prepare`` that differ from the defaults, by name
    table: several structures, as ``topogan prepare --structures`` takes them but for the schema; else missing or null
    temporary: true, where the engine is to remove FOLDER as soon as SET is made, or has failed

Entries with the same ``patient`` are of the same person, and so are rows of all tables with the same one; a patient of
a table is another than one of an entry. No name of a patient is needed: ``p1``, ``p2`` … do. All sources have images,
or none has.

The panel puts a copy of the scene's data beside it, which must go with Slicer or without: it says ``temporary``. While
SET is being made, the file ``stop`` ends that: exit code 1, nothing is left.

Whoever works on a temporary FOLDER holds the lock (:class:`topogan_contract.lock.RunLock`) of its file ``input.lock``:
the panel while it writes, of which ``request.json`` is the last, then the engine, which removes ``request.json`` when
it has the lock. So a folder whose lock nobody holds, and that waits for no engine, is an orphan of killed processes.
"""

from __future__ import annotations

REQUEST_FILE = "request.json"
STOP_FILE = "stop"
LOCK_FILE = "input.lock"

CHECK_FILE = "check.json"
"""In every training set, of the schema :data:`topogan_contract.schemas.CHECK`: what people should know of it first::

    title: names of the structures
    axes, noun: 2, "slice" or 3, "volume"
    patients: [{"patient": "patient_001", "phases": 4, "train": n, "validation": n, "test": n}], n samples of each part
    regions: [{"name", "color": "#rrggbb", "betti": [{"topology": "1,1", "train": n, "validation": n, "test": n}]}],
        structures, then unions; the most frequent topology first
    pixel_size_mm, size: of a sample
    verdict: one sentence
    remarks: further sentences, or none

Sets that were made before have none.
"""
