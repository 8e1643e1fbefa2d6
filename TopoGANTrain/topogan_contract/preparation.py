"""The folder of ``topogan train SET RUN --prepare FOLDER``: what a panel asks the engine to make SET from.

``request.json`` has the schema :data:`topogan_contract.schemas.PREPARE_REQUEST` and::

    segmentations: absolute paths of files or folders
    images: the same for the images in the same order, or []
    plane: "axial", a 4x4 matrix (Slicer's SliceToRAS), or a list of them
    settings: values of ``topogan prepare`` that differ from the defaults, by name
    table: several structures, as ``topogan prepare --structures`` takes them but for the schema; else missing or null
    temporary: true, where the engine is to remove FOLDER as soon as SET is made, or has failed

The panel puts a copy of the scene's data beside it, which must go with Slicer or without: it says ``temporary``. While
SET is being made, the file ``stop`` ends that: exit code 1, nothing is left.
"""

from __future__ import annotations

REQUEST_FILE = "request.json"
STOP_FILE = "stop"
