"""What the Slicer side tells the user: one sentence that names what is wrong and what to do."""


class SynthesisFolderError(ValueError):
    """The folder cannot be shown: it is missing, damaged, of another kind, or from another version."""


class SceneError(RuntimeError):
    """The scene could not be made, saved or drawn, though the input was right."""


class InputError(ValueError):
    """What the user has chosen cannot be used."""
