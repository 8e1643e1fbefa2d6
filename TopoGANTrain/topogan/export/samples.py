"""What a layout is written from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topogan.possible_copies import copies_of_report
from topogan.stored_samples import StoredSamples
from topogan.structures import Structure, StructureTable
from topogan_contract import schemas
from topogan_contract.words import shown

_LONGEST = 1000


@dataclass(frozen=True)
class ExportedSamples:
    """What a layout is written from."""

    synthesis: Path
    """Folder made by ``topogan synthesize``."""
    report: dict[str, Any]
    """Its ``report.json``."""
    masks: StoredSamples
    """Label ids [sample, row, column], of volumes [sample, slice, row, column]."""
    textures: StoredSamples | None
    """The same of HU or image units; None where the model paints none."""

    numbers: tuple[int, ...]
    """Which of the samples are wanted, in this order."""

    @property
    def is_ct(self) -> bool:
        """Whether textures are in HU."""
        return self.report.get("intensity") == "HU"

    @property
    def model(self) -> str:
        """Hash of the model's content."""
        return str(self.report.get("model", {}).get("content_hash", ""))

    @property
    def origin(self) -> str:
        """That it is synthetic, and of which model and seed, in a sentence."""
        seed = self.report.get("settings", {}).get("seed", "")
        return f"Synthetic image, not of a patient: TopoGAN, model {self.model[:16]}, seed {seed}."

    @property
    def privacy(self) -> str:
        """What to know of privacy before they are shared; empty where the synthesis does not say it."""
        said = shown(self.report.get("privacy") or "", _LONGEST), copies_of_report(self.report)
        return " ".join(filter(None, said))

    @property
    def table(self) -> StructureTable:
        """What the label ids mean."""
        if self.report["schema"] == schemas.SYNTHESIS_OF_ONE:
            return StructureTable(structures=(Structure(name=str(self.report.get("structure") or "structure")),))
        return StructureTable.model_validate(self.report["table"])
