"""Persistence images: diagrams as pictures that can be averaged and plotted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from topogan.errors import InputError
from topogan.homology.diagrams import Diagram


def persistence_image(
    diagram: Diagram, dimension: int, extent: float, bins: int = 32, blur: float | None = None
) -> NDArray[np.float64]:
    """Sum of Gaussians at the finite points (birth, persistence) of a diagram, each weighted by its persistence.

    Each bin holds the exact integral of the sum over it, so that a point well inside adds its persistence in total.
    Source: Adams et al., JMLR 2017 ("Persistence images").

    Args:
        diagram: of any filtration.
        dimension: 0 or 1.
        extent: the picture covers births and persistences from 0 to ``extent``, in the unit of the filtration.
        bins: width and height of the picture.
        blur: standard deviation of the Gaussians in the unit of the filtration; None takes the width of a bin.

    Returns:
        float64 [bins, bins]: row by persistence (rising), column by birth.

    Raises:
        InputError: ``extent``, ``bins`` or ``blur`` is not positive.
    """
    blur = extent / bins if blur is None and bins > 0 else blur
    if not (extent > 0 and bins > 0 and blur is not None and blur > 0):
        raise InputError(f"A persistence image needs a positive extent, bins and blur, not {extent}, {bins}, {blur}.")
    points = diagram.finite_points(dimension)
    persistence = points[:, 1] - points[:, 0]
    edges = np.linspace(0.0, extent, bins + 1)

    def shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
        below: NDArray[np.float64] = erf((edges[None, :] - values[:, None]) / (blur * np.sqrt(2.0)))
        return np.diff(below, axis=1) / 2.0

    image: NDArray[np.float64] = (shares(persistence) * persistence[:, None]).T @ shares(points[:, 0])
    return image
