"""What is to be said of volumes whose topology resampling has changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from topogan.dataset.native import Native
from topogan.structures import StructureTable
from topogan_contract.sizes import VOLUME_SIZES

# Up to this share nothing is advised: most masks that are learned from are right.
_FEW = 0.1
_VOXELS_ACROSS = 3


@dataclass
class Resampling:
    """Keeps the Betti numbers of volumes in the voxels of their segmentation and in those of the set.

    Attributes:
        table: the structures.
    """

    table: StructureTable
    _native: list[np.ndarray] = field(default_factory=list)
    _found: list[np.ndarray] = field(default_factory=list)
    _thickness: list[np.ndarray] = field(default_factory=list)

    def add(self, native: Native, found: np.ndarray) -> None:
        """Add the volumes of one phase: ``found`` [n, R, 3]."""
        self._native += [native.betti] * len(found)
        self._found += list(found)
        if native.thickness is not None:
            self._thickness.append(native.thickness)

    @property
    def changed(self) -> dict[str, float]:
        """Share of the volumes with other Betti numbers than their segmentation, by region; empty without volumes."""
        if not self._found:
            return {}
        shares = (np.array(self._native) != np.array(self._found)).any(axis=2).mean(axis=0)
        return dict(zip((region.name for region in self.table.regions), shares.round(4).tolist(), strict=True))

    def in_words(self, size: int, pixel_size: float, smallest: float) -> list[str]:
        """Say how many volumes it has changed; advise finer voxels where it breaks what the segmentations show.

        Args:
            size: of a volume in voxels.
            pixel_size: edge of a voxel in mm.
            smallest: edge of the smallest voxels with which all structures would fit, in mm.
        """
        changed = self.changed
        if not changed:
            return []
        listed = ", ".join(f"{name} in {share:.0%}" for name, share in changed.items())
        said = [f"Resampling to voxels of {pixel_size:.3g} mm changed the topology of {listed} of the volumes."]
        names = self.table.names[: self.table.counted]
        broken = np.zeros(len(names))
        for number, name in enumerate(names):
            native, found = (np.array(betti)[:, number] for betti in (self._native, self._found))
            modal = Counter(map(tuple, found.tolist())).most_common(1)[0][0]
            was, is_now = (native == modal).all(axis=1), (found == modal).all(axis=1)
            broken[number] = (was & ~is_now).mean()
            if changed[name] > _FEW and was.mean() < is_now.mean():
                said.append(
                    f"{name} is most often {modal}: in {was.mean():.0%} of the segmentations themselves, and in "
                    f"{is_now.mean():.0%} of the volumes; if further pieces, tunnels or cavities are not meant, clean "
                    "the segmentations."
                )
        worst = int(broken.argmax())
        if broken[worst] > _FEW:
            said.append(self._advice(worst, size, pixel_size, smallest))
        return said

    def _advice(self, structure: int, size: int, pixel_size: float, smallest: float) -> str:
        name, measured = self.table.names[structure], [float(found[structure]) for found in self._thickness]
        known = [thickness for thickness in measured if np.isfinite(thickness)]
        edges = {other: pixel_size * size / other for other in VOLUME_SIZES if other > size}
        advice, wanted = f"{name} needs finer voxels", np.inf
        if known:
            thickness = float(np.median(known))
            wanted = thickness / _VOXELS_ACROSS
            advice = f"Thin parts of {name} are about {thickness:.2g} mm thick, and should be {_VOXELS_ACROSS} voxels"
        if edges:
            chosen = next((other for other, edge in edges.items() if edge <= wanted), max(edges))
            advice += f": size {chosen} has voxels of {edges[chosen]:.2g} mm"
        if smallest < 0.95 * pixel_size:
            advice += f"; with size {size} all structures still fit at a pixel size of {smallest:.3g} mm"
        return f"{advice}."
