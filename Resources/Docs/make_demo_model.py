"""Make the model that comes with TopoGAN Synth: ``python Resources/Docs/make_demo_model.py [DEMO | --figures]``.

``topogan demo`` trains it on the phantom (8 minutes on 2 cores); DEMO is a folder where that has been done already.
With ``--figures`` the model that is there is measured again, its weights stay.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from topogan.demo import simulate
from topogan.model import add_figures, pack_model
from topogan.presets import read_preset, train_settings
from topogan.training_set import TrainingSet

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "TopoGANSynth" / "Resources" / "Models" / "phantom.zip"
_LICENSE = """\
This model was trained on the TopoGAN phantom alone, a heart made of formulas (topogan phantom): no data of patients are
in it. It may be used under the Apache License, Version 2.0, as TopoGAN itself.
"""


def trained(demo: Path, scratch: Path) -> Path:
    """The model of the demo, trained if need be, with its license."""
    if not demo.exists():
        subprocess.run([sys.executable, "-m", "topogan", "demo", demo], check=True)
    model = shutil.copytree(demo / "run" / "model", scratch / "model")
    (model / "LICENSE").write_text(_LICENSE, encoding="utf-8")
    return model


def measured(scratch: Path) -> Path:
    """The model that is there, with its figures on the training set of the demo."""
    with zipfile.ZipFile(MODEL) as archive:
        archive.extractall(scratch)
    source = simulate(scratch / "simulated", read_preset("demo"), lambda event: None)
    training_set = source.prepare(scratch / "training_set", train_settings("demo", {}), lambda event: None)
    return add_figures(scratch / MODEL.stem, TrainingSet.open(training_set))


def main() -> None:
    """Make it and pack it."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if sys.argv[1:] == ["--figures"]:
            model = measured(scratch)
        else:
            model = trained(Path(sys.argv[1]) if len(sys.argv) > 1 else scratch / "demo", scratch)
        MODEL.parent.mkdir(parents=True, exist_ok=True)
        pack_model(model, MODEL, overwrite=True)


if __name__ == "__main__":
    main()
