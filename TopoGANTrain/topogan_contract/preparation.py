"""The folder of ``topogan train SET RUN --prepare FOLDER``: what a panel asks the engine to make SET from.

``request.json`` has the schema :data:`topogan_contract.schemas.PREPARE_REQUEST` and::

    segmentations: absolute paths of files or folders
    images: the same for the images in the same order, or []
    plane: "axial", a 4x4 matrix (Slicer's SliceToRAS), or a list of them
    settings: values of ``topogan prepare`` that differ from the defaults, by name

The panel may put data beside it. The engine removes the folder as soon as SET is made, or has failed: a copy of patient
data goes with Slicer or without. While SET is being made, the file ``stop`` ends that: exit code 1, nothing is left.
"""

from __future__ import annotations

REQUEST_FILE = "request.json"
STOP_FILE = "stop"
