"""The example notebook runs from top to bottom, and a kernel that trains can be interrupted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from small_project import SEARCH_TRIALS, make_project, recorded, wait_for

ROOT = Path(__file__).parents[1].parent
NOTEBOOK = ROOT / "examples" / "digits.ipynb"


def outputs(notebook: Any, kind: str) -> list[str]:
    """Return the outputs of a notebook of one kind, such as `text/html`."""
    found = [output.get("data", {}).get(kind) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [text for text in found if text]


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    folder.mkdir()
    (tmp_path / "searches").mkdir()
    text = (ROOT / "searches" / "digits.toml").read_text(encoding="utf-8")
    # Two trials of one model are left, and 12 of the other: of fewer, importance is not told.
    shorter = {
        "dropout = [0.0, 0.3]": "dropout = 0.3",
        "[32, 64, 128]": "32",
        "dense_units = [32, 64]": "dense_units = 32",
        "filters_never_decrease = true": "filters_never_decrease = false",
    }
    for whole, less in shorter.items():
        assert whole in text
        text = text.replace(whole, less)
    (tmp_path / "searches" / "digits.toml").write_text(text)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    committed = [[output["output_type"] for output in cell.get("outputs", [])] for cell in notebook.cells]
    NotebookClient(
        notebook, timeout=900, startup_timeout=600, iopub_timeout=600, resources={"metadata": {"path": str(folder)}}
    ).execute()  # no cell fails
    html = "\n".join(outputs(notebook, "text/html"))
    assert re.search(r"<strong>CNN (beats ANN|is not shown to beat ANN)|<strong>ANN (beats|is not shown)", html)
    assert "set on the command line: --epochs 4 --repeats 3" in html
    assert len(outputs(notebook, "image/png")) == 5
    assert outputs(notebook, "text/plain")[-1] == "True"  # what is read back is what was found
    assert [[output["output_type"] for output in cell.get("outputs", [])] for cell in notebook.cells] == committed
    assert (folder / "runs" / "reports" / "digits" / "report.html").is_file()
    assert [path.name for path in folder.iterdir()] == ["runs"]


def test_the_notebook_is_committed_with_its_outputs_and_nothing_of_the_machine() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(cell.outputs for cell in code if not cell.source.startswith("from "))
    assert not any(output.output_type in ("stream", "error") for cell in code for output in cell.outputs)
    assert not re.search(r"/(home|root|tmp|Users)/|\d{4}-\d\d-\d\dT", NOTEBOOK.read_text(encoding="utf-8"))
    assert all(cell.metadata == {} for cell in notebook.cells)


def answer_to(request: str, client: BlockingKernelClient, seconds: float) -> dict[str, Any]:
    """Return the answer to a request; one that starts slowly also answers several times that it is there."""
    while True:
        message = client.get_shell_msg(timeout=seconds)
        if message["parent_header"]["msg_id"] == request:
            return dict(message["content"])


CELL = """
import keras, numpy as np, tuner
WIDTH = 2

def build(hp, shape, classes):
    pixels = keras.Input(shape)
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(pixels))
    x = keras.layers.Dense(WIDTH * hp.Int("units", 1, 8))(x)
    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))

x, y = np.random.default_rng(0).integers(0, 256, (90, 8, 8)), np.arange(90) % 3
"""
SEARCH = (
    "found = tuner.search(build, x, y, epochs=2, repeats=1, workers=1, algorithm='grid', space={'units': [1, 2, 3, 4]})"
)


@pytest.mark.slow
def test_a_kernel_that_trains_is_interrupted_and_goes_on_and_a_new_one_does_so_too(
    blobs_file: Path, tmp_path: Path
) -> None:
    """A search of a file, and one of a function of a cell; in the same kernels, each of which takes long to begin."""
    folder = make_project(tmp_path / "p", blobs_file)
    manager, client = start_new_kernel(startup_timeout=600, cwd=str(folder))
    try:
        # a kernel drops requests that it gets shortly after an error of another, unless told not to
        run = client.execute("import tuner; found = tuner.run('small', workers=1, progress=False)", stop_on_error=False)
        wait_for(lambda: recorded(folder) >= 2, 600)
        manager.interrupt_kernel()
        stopped = answer_to(run, client, 600)
        assert (stopped["status"], stopped.get("ename")) == ("error", "KeyboardInterrupt")
        before = recorded(folder)
        asked = {"done": "len(tuner.results('small'))", "finished": "found.finished"}
        load = client.execute("found = tuner.load_findings('small')", user_expressions=asked)
        answer = answer_to(load, client, 600)["user_expressions"]
        assert answer["done"]["data"]["text/plain"] == str(before)
        assert answer["finished"]["data"]["text/plain"] == "False"
        run = client.execute("found = tuner.run('small', progress=False)", user_expressions=asked)
        answer = answer_to(run, client, 600)["user_expressions"]
        assert answer["done"]["data"]["text/plain"] == str(SEARCH_TRIALS)
        assert answer["finished"]["data"]["text/plain"] == "True"

        others = recorded(folder)
        assert answer_to(client.execute(CELL), client, 600)["status"] == "ok"
        run = client.execute(SEARCH, stop_on_error=False)
        wait_for(lambda: recorded(folder) > others, 600)
        manager.interrupt_kernel()
        assert answer_to(run, client, 600)["status"] == "error"
        done = recorded(folder) - others
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    manager, client = start_new_kernel(startup_timeout=600, cwd=str(folder))
    try:
        assert answer_to(client.execute(CELL), client, 600)["status"] == "ok"
        asked = {"left": "sorted(tuner.results(found)['units'])", "finished": "found.finished"}
        answer = answer_to(client.execute(SEARCH, user_expressions=asked), client, 600)
        assert answer["status"] == "ok", answer
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert answer["user_expressions"]["left"]["data"]["text/plain"] == "[1, 2, 3, 4]"
    assert answer["user_expressions"]["finished"]["data"]["text/plain"] == "True"
    assert 1 <= done < recorded(folder) - others == 4 + 1  # none was trained twice under another name
