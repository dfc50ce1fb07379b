"""What keeps trials of a pretrained network from learning on features that are computed once, said before they run."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.families.pretrained import Pretrained
from tuner.search_file.model_search import ModelSearch
from tuner.space.space import Configuration


def uncached_notes(model_search: ModelSearch, configurations: Sequence[Configuration]) -> list[str]:
    """Return a line on the parameters for which images go through a frozen backbone in every epoch; mostly none.

    Args:
        model_search: of any family.
        configurations: that it proposes, or the first of them.
    """
    family = model_search.family
    if not isinstance(family, Pretrained):
        return []
    found = [family.without_features_by(values) for values in configurations]
    names = sorted({name for one in found for name in one})
    if not names:
        return []
    count = sum(map(bool, found))
    who = "no head is" if count == len(found) else f"of {len(found):,} heads {len(found) - count:,} are"
    return [
        f"{model_search.label}: because of {', '.join(names)}, {who} trained on features that are computed once; "
        "otherwise all images go through the backbone in every epoch, which takes longer"
    ]
