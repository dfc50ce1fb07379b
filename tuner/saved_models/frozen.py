"""Proof that what a saved model of `pretrained` has frozen are the weights of its source, bit for bit.

The source is an `.h5` file in the search file's folder or in the one of `--data-dir`, or Keras' own folder; nothing is
downloaded. Where it is not there, the hash counts that was taken of these arrays as they came from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.analysis.findings import Chosen, Findings
from tuner.datasets.base import Shape
from tuner.errors import CheckError, InputError, ResourceError, TrialError
from tuner.families.frozen import FROZEN_SHA256, first_difference, frozen_arrays, hash_of_arrays, without_download
from tuner.families.pretrained import BACKBONE, IMAGENET, NO_WEIGHTS, Pretrained
from tuner.recipe import use_precision
from tuner.system.quiet import import_keras, silence
from tuner.system.waiting import doing
from tuner.text import visible_line
from tuner.trial import Trial
from tuner.untrusted.saved_model import SavedModel, load_checked

if TYPE_CHECKING:
    import keras


def frozen_in_words(findings: Findings, chosen: Chosen, model: SavedModel) -> str:
    """Hold the frozen arrays of a saved model against their source, and say how; empty where there is none.

    Raises:
        CheckError: they are others.
    """
    trial = chosen.saved.trial
    if trial.family != Pretrained.name or trial.values["weights"] == NO_WEIGHTS:
        return ""
    family = findings.search.model_search(chosen.model).family
    files = family.files if isinstance(family, Pretrained) else ()
    folders = [findings.search.folder, *([findings.workspace.data] if findings.workspace.data else [])]
    import_keras()
    with doing(f"holding frozen weights of {chosen.file_name} against their source"), silence():
        use_precision({"precision": "float32"})
        try:
            saved = load_checked(model).get_layer(BACKBONE)
            shape = findings.data(chosen.dataset).shape
            source = _source(trial, shape, [Pretrained(folder, files) for folder in folders])
            built = source or Pretrained().backbone({**trial.values, "weights": NO_WEIGHTS}, shape)
            arrays = frozen_arrays(saved, built)
        except (InputError, TrialError, ValueError, KeyError) as error:
            raise CheckError(f"{chosen.file_name}: its backbone cannot be looked at ({visible_line(error)})") from error
    if not arrays:
        return ""
    weights = visible_line(trial.values["weights"])
    recorded = chosen.saved.result.environment.get(FROZEN_SHA256)
    if source is not None:
        place = first_difference(arrays, frozen_arrays(source, built))
        if place is not None:
            number = f"array {place} of {len(arrays)} that were frozen"
            raise CheckError(f"{chosen.file_name}: {number} is not the one of {weights}; train it again")
        return f"its {len(arrays)} frozen arrays those of {weights} bit for bit"
    if recorded is None:
        return f"its frozen arrays not compared, as {weights} is not here"
    if recorded != hash_of_arrays(arrays):
        problem = f"the arrays that were frozen have not the hash of those of {weights} that was recorded"
        raise CheckError(f"{chosen.file_name}: {problem}; train it again")
    return f"its {len(arrays)} frozen arrays by their recorded hash those of {weights}"


def _source(trial: Trial, shape: Shape, families: list[Pretrained]) -> keras.Model | None:
    """Return the backbone with the weights that a trial began with; None where that takes a download, or more."""
    if trial.values["weights"] == IMAGENET:
        try:
            with without_download():
                return families[0].backbone(trial.values, shape)
        except (KeyError, ResourceError):  # of another Keras, which downloads in another way
            return None
    for family in families if trial.values["weights"] in families[0].files else ():
        try:
            if family.source_hash() == trial.source:
                return family.backbone(trial.values, shape)
        except InputError:  # it is not in this folder
            continue
    return None
