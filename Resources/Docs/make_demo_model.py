"""Make the model that comes with TopoGAN Synth: ``python Resources/Docs/make_demo_model.py [DEMO]``.

``topogan demo`` trains it on the phantom (8 minutes on 2 cores); DEMO is a folder where that has been done already.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from topogan.model import pack_model

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "TopoGANSynth" / "Resources" / "Models" / "phantom.zip"
_LICENSE = """\
This model was trained on the TopoGAN phantom alone, a heart made of formulas (topogan phantom): no data of patients are
in it. It may be used under the Apache License, Version 2.0, as TopoGAN itself.
"""


def main() -> None:
    """Train it if need be, give it its license and pack it."""
    with tempfile.TemporaryDirectory() as scratch:
        demo = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch) / "demo"
        if not demo.exists():
            subprocess.run([sys.executable, "-m", "topogan", "demo", demo], check=True)
        model = shutil.copytree(demo / "run" / "model", Path(scratch) / "model")
        (model / "LICENSE").write_text(_LICENSE, encoding="utf-8")
        MODEL.parent.mkdir(parents=True, exist_ok=True)
        pack_model(model, MODEL, overwrite=True)


if __name__ == "__main__":
    main()
