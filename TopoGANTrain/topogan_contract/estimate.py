"""What ``topogan doctor --estimate FILE --json`` is asked, and answers.

FILE has the schema :data:`topogan_contract.schemas.ESTIMATE_REQUEST` and::

    train: settings of the training that differ from the defaults, in their groups
    size: of a patch in pixels, of a volume in voxels
    axes: 2 for slices, 3 for volumes
    structures: how many are learned
    samples: how many slices or volumes the training set holds; 0 or missing: nobody knows yet
    continued: whether it begins with a model that knows these structures (fine-tuning); missing: no
    training_samples: how many of them are for training, so that no batch is larger; 0 or missing: all

The doctor's JSON then has :data:`ANSWER`, either ``{"error": sentence}`` or::

    device: of torch, "cuda", "mps" or "cpu"
    step_seconds: {"masks": seconds, "textures": seconds}, the mean step of each stage that is trained
    seconds: of all steps
    memory_bytes: of the device at most, where the GPU's memory is too small more than is free
    free_memory_bytes: of the device; 0 where it cannot be asked
    disk_bytes: of the training set (where samples are known), the run and its model
"""

from __future__ import annotations

ANSWER = "estimate"
"""Name of the answer in the doctor's JSON."""
