"""Networks built one after another in one process: what they leave in its memory, and how long tidying takes."""

from __future__ import annotations

import json
from pathlib import Path

from small_project import server

BUILDS = """
import gc, json
from pathlib import Path
import keras
from tuner.running.dryrun import preview
from tuner.worker.probe import Question, probe
from tuner.search_file.overrides import Overrides
from tuner.search_file.file import parse_search

search = {"family": "ann", "space": {"dense_units": [1, 2, 3, 4, 5]}}
raw = {"title": "x", "dataset": "digits", "training": {"epochs": 1}, "search": [search]}
search = parse_search(raw, "x", Path(), Overrides(), "")
gc.disable()  # a collection may come at any time, or not
gc.unfreeze()  # what tests froze before they forked this process
imported = len(gc.get_objects())
found = []
for values in preview(search, search.model_searches[0]):
    built = probe(Question("ann", Path(), (8, 8, 1), 10, values))
    networks = sum(isinstance(thing, keras.Model) for thing in gc.get_objects())
    found.append((built.parameters, len(gc.get_objects()), networks))
print(json.dumps([imported, *zip(*found)]))
"""


def test_networks_do_not_pile_up_and_collections_look_at_them_alone(tmp_path: Path) -> None:
    """Looking for garbage in all that Keras has imported took ten times as long as to build a network."""
    answer = server().execute(tmp_path, BUILDS)
    assert answer.code == 0, answer.err
    imported, parameters, looked_at, networks = json.loads(answer.out.splitlines()[-1])
    assert parameters == [(64 + 1) * units + (units + 1) * 10 for units in range(1, 6)]
    assert imported > 100_000
    assert max(looked_at) < imported / 10
    assert max(networks) <= 1
