"""The bars that the topology engine is held to, one module per group.

Importing it confines numerical libraries to one thread, which only works before they are loaded.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
