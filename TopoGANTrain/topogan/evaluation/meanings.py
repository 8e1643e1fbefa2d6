"""What each metric means, in one sentence for readers without mathematics; metrics.md has the formulas."""

from __future__ import annotations

from topogan.evaluation.report import Metric
from topogan.evaluation.terms import Terms

# Beginning of a metric's name -> sentence; the longest that fits counts. {samples}: slices or volumes.
_MEANINGS = {
    "Valid": "How many have the most frequent real topology; of several structures, one that real {samples} show.",
    "Valid (requested topology)": "How many have the topology that was asked for.",
    "Every structure valid": "In how many every structure has a topology that real {samples} of its level show.",
    "Betti error": "How much the shares of the topologies differ, from 0 (the same shares) to 1 (none in common).",
    "Betti score": "How much the shares of one Betti number differ, from 0 to 2.",
    "W1": "How far gaps, holes and almost-holes have to be changed to make one set into the other.",
    "W1-birth": "The same by the place of the births alone (of pieces, the deaths), not by their number.",
    "uMMD": "Another distance between two sets of barcodes: about 0 where both are alike.",
    "Mean area": "How large the structure is on average.",
    "Mean volume": "How large the structure is on average.",
    "Area in the usual range": "How many are as large as 90 % of the real {samples} are.",
    "Volume in the usual range": "How many are as large as 90 % of the real {samples} are.",
    "Area distance": "By how much areas have to be changed to be spread as real ones are.",
    "Volume distance": "By how much volumes have to be changed to be spread as real ones are.",
    "In the ": "How many show this structure.",
    "Dice to real": "Mean overlap with the most similar held-out real {sample}; 1 is the same shape.",
    "Mean pairwise Dice": "How alike those of one set are: higher is less varied.",
    "Mean ": "How bright this tissue is on average.",
    "HU distance": "By how much intensities have to be changed to be spread as in real {samples}.",
    "intensity distance": "By how much intensities have to be changed to be spread as in real {samples}.",
    "Power spectrum distance": "How much coarse structure, fine detail and noise differ.",
    "HU difference": "How much the picture changes from one to the next: flicker makes it larger.",
    "intensity difference": "How much the picture changes from one to the next: flicker makes it larger.",
    "KID": "How different the pictures look to a network that was trained on other pictures.",
    "Dice to training": "Mean overlap with the most similar training {sample}: far above real means copying.",
    "Closer to training": "How often a sample is closer to the training {samples} than a real one; 50 % is no copying.",
    "Possible copies": "How many are closer to a training {sample} than every held-out one is.",
    "Possible copies, changed": "How many of them are found only after shifting, scaling or mirroring.",
    "Possible copies of textures": "How many have a grain more like a training image's than every held-out one has.",
    "Grain like a training image's": "How alike noise and fine detail are to those of single training images.",
    "Membership AUC": "How well the nearest sample tells who was trained on: 0.5 not at all, 1 of everybody.",
    "Equal to a training mask": "How many repeat a training mask pixel by pixel.",
    "Equal to another mask": "How many repeat an earlier one of the same set.",
}


def meaning(metric: Metric, terms: Terms) -> str:
    """The sentence, and the metric's note; the note alone of a metric that is not known here.

    Args:
        metric: one figure.
        terms: the words for slices or volumes.
    """
    fitting = [start for start in _MEANINGS if metric.name.startswith(start)]
    said = _MEANINGS[max(fitting, key=len)].format(sample=terms.sample, samples=terms.samples) if fitting else ""
    note = f"{metric.note[0].upper()}{metric.note[1:]}." if metric.note else ""
    return " ".join(filter(None, (said, note)))
