"""The page of a search: what stands in it is the report's, only its own scripts may run, and it stays small."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import RAW, Project, first
from PIL import Image
from whole_page import Page, page_of

import tuner
from tuner.analysis.class_scores import mean_of
from tuner.analysis.mistakes import EACH
from tuner.analysis.pareto import pareto_front
from tuner.analysis.roc import RocCurves
from tuner.datasets.base import Dataset, checked_dataset
from tuner.page.images import Sheets, mistakes_data
from tuner.page.shared import ECHARTS_SHA256, MODULES, asset, is_shared_file, plotting_library, script, shared_files
from tuner.report.summary import verdict


def test_it_has_the_parts_of_the_report_in_order(page: Page) -> None:
    assert page.headings == [
        "Verdict", "Comparison", "Trials", "What matters", "Training curves", "Class by class", "Confusion", "Networks",
        "Score against cost", "Time", "Model cards", "Sample images", "Failed trials", "Provenance",
    ]  # fmt: skip
    links = re.findall(r'<li><a href="#(\w+)">', page.text)
    assert links == re.findall(r'<section id="(\w+)"', page.text)


def test_its_verdict_is_the_report_s_in_words_with_interval_and_p(page: Page, project: Project) -> None:
    (line,) = verdict(project.findings())
    said = line.replace("**", "")
    assert said in page.shown
    assert "CNN beats ANN by" in said
    assert "95 % interval" in said
    assert "; p < 0.001)" in said


def test_without_scripts_there_are_the_tables(page: Page) -> None:
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr.*?</tr>", page.text, re.DOTALL)]
    cnn = next(row for row in rows if "cnn-blobs.keras" in row)
    assert "0.9556" in cnn, "43 of 45 test images"
    assert any("it | &lt;broke&gt;" in row for row in rows), "the failed trial's reason"
    heads = [given for tag, given in page.elements if tag == "th"]
    assert all(given.get("scope") for given in heads)
    assert all(
        captions == 1
        for captions in (table.count("<caption>") for table in re.findall(r"<table.*?</table>", page.text, re.DOTALL))
    )


def test_each_saved_model_has_its_card_folded_away(page: Page) -> None:
    cards = re.findall(r"<details><summary>(\w+-blobs\.keras)</summary>(.*?)</details>", page.text, re.DOTALL)
    assert [file for file, _ in cards] == ["ann-blobs.keras", "cnn-blobs.keras"]
    for file, card in cards:
        assert f"<caption>{file}</caption>" in card
        assert "SHA-256 0000" in card
        assert "fingerprint" in card


def test_each_class_of_each_model_has_its_f1_and_auc_in_the_heat_map(page: Page) -> None:
    frame = page.table("per_class.csv")
    table = re.search(r'<table class="heat">.*?</table>', page.text, re.DOTALL)
    assert table
    shown = re.findall(r">([01]\.\d{4})<", table[0])
    assert len(shown) == 2 * 2 * 5, "two models, two metrics, three classes and two averages"
    for name in ("f1", "roc_auc"):
        assert {f"{value:.4f}" for value in frame[mean_of(name)]} <= set(shown)


def test_its_trials_are_those_of_trials_csv(page: Page) -> None:
    frame = page.table("trials.csv")
    trials = page.blocks["report"]["trials"]
    assert [row[0] for row in trials["rows"]] == frame["trial"].tolist()
    assert trials["parameters"] == ["conv_depth", "filters_1", "filters_2", "dense_units"]
    place = trials["columns"].index("val_accuracy")
    assert [row[place] for row in trials["rows"]] == [0.9, 0.85, 0.8, 0.7, 0.6, 0.6, 0.5, None]
    assert [row[trials["columns"].index("error")] for row in trials["rows"]][-1] == "it | <broke>"


def test_a_parameter_that_only_tells_the_models_apart_is_no_axis(tmp_path: Path, blobs: Dataset) -> None:
    entries = [{"family": "ann", "space": {"dense_units": 4}}, {"family": "cnn", "space": {"dense_units": 8}}]
    made = Project(tmp_path, blobs, {**RAW, "search": entries})
    made.searched("ann", [0.5])
    made.searched("cnn", [0.6])
    assert page_of(made).blocks["report"]["trials"]["parameters"] == []


def test_its_scores_are_those_of_the_comparison(page: Page, project: Project) -> None:
    frame = page.table("comparison.csv")
    for told, row, chosen in zip(
        page.blocks["report"]["chosen"], frame.to_dict("records"), project.findings().chosen, strict=True
    ):
        for name in (
            "retrained_mean",
            "mean_ci_low",
            "mean_ci_high",
            "test_accuracy",
            "ci_low",
            "ci_high",
            "megabytes",
        ):
            assert told[name] == pytest.approx(row[name], rel=1e-5)
        assert told["confusion"] == chosen.predictions.confusion.tolist()
        assert told["retrainings"] == pytest.approx(chosen.test_accuracies.tolist(), rel=1e-5)


def test_the_images_of_a_folder_have_their_files_on_the_page(tmp_path: Path, blobs: Dataset) -> None:
    names = tuple(f"test/{n}.png" for n in range(45))
    data = replace(blobs, files={"train": tuple(f"train/{n}.png" for n in range(120)), "test": names})
    made = Project(tmp_path, data)
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(42)])
    found = mistakes_data(made.findings(), Sheets(held=True))
    assert sorted(found["sheets"]["blobs"]["files"]) == ["test/42.png", "test/43.png", "test/44.png"]
    for _, _, true, _, shown in found["cells"]:
        for place, _ in shown:
            file = found["sheets"]["blobs"]["files"][place]
            assert blobs.y_test[int(file[5:7])] == true


def test_the_images_of_no_folder_have_no_files_on_the_page(project: Project) -> None:
    assert "files" not in mistakes_data(project.findings(), Sheets(held=True))["sheets"]["blobs"]


def test_roc_curves_are_whole_and_thinned_ones_stay_close(tmp_path: Path, blobs: Dataset) -> None:
    n = 3000
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": blobs.x_train,
        "y_train": blobs.y_train,
        "x_test": np.zeros((n, 8, 8), np.uint8),
        "y_test": np.arange(n) % 3,
    }
    made = Project(tmp_path, checked_dataset("blobs", arrays, blobs.class_names))
    (trial, *_) = made.searched("ann", [0.5])
    made.retrained("ann", trial, [first(n // 2, n)])
    (chosen,) = made.findings().chosen
    noise = chosen.predictions.probabilities * rng.random((n, 3), np.float32)
    noisy = replace(chosen, all_predictions=(replace(chosen.predictions, probabilities=noise),))
    curves = RocCurves.of(noisy).curves
    for label in range(3):
        x, y = noisy.predictions.roc(label)
        thin_x, thin_y = curves[label].points
        assert len(x) > 100 >= len(thin_x)
        assert (thin_x[0], thin_y[0], thin_x[-1], thin_y[-1]) == (0, 0, 1, 1)
        assert np.abs(np.interp(x, thin_x, thin_y) - y).max() < 0.04


@pytest.mark.parametrize(
    ("costs", "scores", "front"),
    [
        ([1, 2, 3], [0.5, 0.6, 0.7], [True, True, True]),
        ([1, 2, 3], [0.7, 0.6, 0.5], [True, False, False]),
        ([2, 1, 2], [0.6, 0.5, 0.7], [False, True, True]),  # the first costs what the third does, and scores less
        ([1, 1], [0.5, 0.5], [True, True]),  # neither beats the other
        ([1, 2], [0.5, 0.5], [True, False]),  # the same score for more
        ([], [], []),
    ],
)
def test_the_pareto_front_is_what_no_other_beats_in_both(
    costs: list[float], scores: list[float], front: list[bool]
) -> None:
    assert pareto_front(costs, scores) == front


def policy_of(page: Page) -> dict[str, str]:
    (policy,) = [
        given["content"] or "" for tag, given in page.elements if given.get("http-equiv") == "Content-Security-Policy"
    ]
    return dict(part.split(" ", 1) for part in policy.split("; "))


def hashes_of(page: Page) -> list[str]:
    return [f"'sha256-{base64.b64encode(hashlib.sha256(c.encode()).digest()).decode()}'" for c in page.scripts]


def test_only_the_scripts_beside_the_reports_may_run_and_one_that_says_that_they_did(page: Page) -> None:
    (own,) = hashes_of(page)
    assert "no-script" in page.scripts[0]
    assert policy_of(page)["default-src"] == "'none'"
    assert policy_of(page)["script-src"] == f"'self' {own}"
    fetched = {given["src"] for _, given in page.elements if "src" in given}
    pictures = {picture.file for section in page.report.sections for picture in section.pictures}
    assert fetched - pictures == {f"../{name}" for name in shared_files() if name.endswith(".js")}
    linked = {given["href"] for tag, given in page.elements if tag == "link" and given["rel"] == "stylesheet"}
    assert linked == {f"../{name}" for name in shared_files() if name.endswith(".css")}
    assert policy_of(page)["style-src"] == "'self' 'unsafe-inline'"
    assert script() not in page.text
    assert asset("page.css") not in page.text
    assert len(fetched & pictures) > 5


def test_room_is_kept_for_every_picture_of_the_report(page: Page) -> None:
    drawn = {picture.file: picture.png for section in page.report.sections for picture in section.pictures}
    shown = [given for tag, given in page.elements if tag == "img" and given["src"] in drawn]
    assert len(shown) > 5
    for given in shown:
        with Image.open(io.BytesIO(drawn[given["src"]])) as image:
            assert (given["width"], given["height"]) == tuple(map(str, image.size))
    assert len(page.text) < 500_000


def test_a_page_that_is_a_single_file_fetches_nothing_and_only_its_own_scripts_may_run(project: Project) -> None:
    page = page_of(project, single_file=True)
    library, own = hashes_of(page)
    assert policy_of(page)["default-src"] == "'none'"
    assert policy_of(page)["script-src"] == f"{library} {own}"
    assert policy_of(page)["img-src"] == "data:"
    assert policy_of(page)["style-src"] == "'unsafe-inline'"
    assert page.scripts == [plotting_library(), script()]
    assert asset("page.css") in page.text
    assert [given for tag, given in page.elements if given.get("rel") == "stylesheet"] == []
    assert page.files == {}
    assert all((given["src"] or "").startswith("data:") for _, given in page.elements if "src" in given)


def test_the_plotting_library_is_the_one_that_was_published(project: Project) -> None:
    assert hashlib.sha256(plotting_library().encode()).hexdigest() == ECHARTS_SHA256
    assert plotting_library() in page_of(project, single_file=True).scripts


def test_a_module_imports_what_an_earlier_one_exports() -> None:
    known: dict[str, set[str]] = {}
    for name in MODULES:
        code = asset(name)
        for wanted, source in re.findall(r'^import \{(.*?)\} from "\./(.+?)";', code, re.MULTILINE | re.DOTALL):
            assert set(re.findall(r"\w+", wanted)) <= known[source], f"{name} from {source}"
        known[name] = set(re.findall(r"^export (?:function|const) (\w+)", code, re.MULTILINE))


def test_no_script_makes_markup_of_a_text() -> None:
    scripts = [
        path for room in ("page", "watching") for path in (Path(tuner.__file__).parent / room).glob("assets/*.js")
    ]
    assert {"main.js", "live.js", "form.js"} <= {path.name for path in scripts}
    for path in scripts:
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "createContextualFragment"):
            assert way not in path.read_text(encoding="utf-8"), path.name


def test_files_that_pages_share_are_named_by_what_is_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    before = shared_files()
    monkeypatch.setattr("tuner.page.shared.asset", lambda name: f"/* another {name} */")
    after = shared_files()
    assert [name.rpartition(".")[2] for name in after] == ["js", "js", "css"]
    assert set(after) & set(before) >= {next(iter(before))}, "the library is the same"
    assert all(is_shared_file(name) for name in (*before, *after))
    style = next(name for name in before if name.endswith(".css"))
    assert style not in after
    assert re.fullmatch(r"page-[0-9a-f]{16}\.css", style)
    assert style == f"page-{hashlib.sha256(before[style].encode()).hexdigest()[:16]}.css"
    assert not any(map(is_shared_file, ("page.css", "page-1234.js", "echarts.js", "page-0123456789abcdef.css.bak")))


def test_images_that_scripts_draw_lie_beside_the_page_or_in_it(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.retrained("cnn", made.searched("cnn", [0.5])[0], [first(41)])
    beside, within = page_of(made), page_of(made, single_file=True)
    assert set(beside.files) == {"images-blobs.png", "images_heat-cnn-blobs.png"}
    told, held = (one.blocks["images"]["sheets"]["blobs"] for one in (beside, within))
    assert (told["source"], told["heat"]["cnn"]["source"]) == ("images-blobs.png", "images_heat-cnn-blobs.png")
    for ours, theirs in ((told, held), (told["heat"]["cnn"], held["heat"]["cnn"])):
        assert beside.files[ours["source"]] == base64.b64decode(theirs["source"].partition(",")[2])
    assert "base64" not in beside.text


def test_times_stand_in_one_block_of_the_page(page: Page, project: Project) -> None:
    assert page.blocks["timing"]["seconds"] == {
        row: 1 if k < 8 else 2 for k, row in enumerate(page.table("timing.csv")["trial"])
    }
    assert "The trials of the search took 8.0 s" in page.shown
    assert "seconds" not in page.blocks["report"]["trials"]["columns"]


def test_images_of_a_cell_are_the_surest_mistakes_of_the_model(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    (trial, *_) = made.searched("ann", [0.5])
    made.retrained("ann", trial, [first(36)])  # of the last nine, three of each class, each is taken for the next
    found = mistakes_data(made.findings(), Sheets(held=True))
    assert [cell[:4] for cell in found["cells"]] == [
        ["blobs", "ann", 0, 1],
        ["blobs", "ann", 1, 2],
        ["blobs", "ann", 2, 0],
    ]
    assert [len(cell[4]) for cell in found["cells"]] == [3, 3, 3]
    assert sorted(place for cell in found["cells"] for place, _ in cell[4]) == list(range(9))
    sheet = found["sheets"]["blobs"]
    pixels = _picture(sheet["source"])
    place = found["cells"][0][4][0][0]
    tile = pixels[: sheet["height"], place * sheet["width"] : (place + 1) * sheet["width"]]
    apart = np.abs(tile.astype(int) - (255 - blobs.x_test[36, ..., 0]))
    assert apart.max() <= 8, "ink on paper, in fewer shades"


def test_the_heat_maps_of_a_model_are_of_the_images_that_it_took_for_others(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.retrained("ann", made.searched("ann", [0.5])[0], [first(40)])
    made.retrained("cnn", made.searched("cnn", [0.5])[0], [first(41)])  # images 41 to 44 are taken for others
    findings = made.findings()
    sheet = mistakes_data(findings, Sheets(held=True))["sheets"]["blobs"]
    assert set(sheet["heat"]) == {"cnn"}
    told = sheet["heat"]["cnn"]
    assert (told["width"], told["height"], len(told["of"])) == (3, 3, 4)
    opacity = np.asarray(Image.open(io.BytesIO(base64.b64decode(told["source"].partition(",")[2]))).convert("RGBA"))
    highest = [int(opacity[:3, 3 * k : 3 * k + 3, 3].sum(axis=0).argmax()) for k in range(4)]
    assert highest == [41 % 3, 42 % 3, 43 % 3, 44 % 3]
    assert opacity[..., 3].max() < 255, "the image is seen through"
    pixels = _picture(sheet["source"])
    for image, place in zip(range(41, 45), told["of"], strict=True):
        tile = pixels[: sheet["height"], place * sheet["width"] : (place + 1) * sheet["width"]].astype(int)
        assert np.abs(tile - (255 - blobs.x_test[image, ..., 0])).max() <= 8


def _picture(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 3), (96, 3)])
def test_many_mistakes_are_cut_evenly_so_that_the_page_stays_small(tmp_path: Path, side: int, channels: int) -> None:
    """Noise is the least that a picture can be made small of."""
    n = 3000
    rng = np.random.default_rng(0)
    names = [f"class {k}" for k in range(30)]
    shape = (side, side, channels)
    arrays = {"y_train": np.arange(60) % 30, "y_test": np.arange(n) % 30, "x_train": np.zeros((60, *shape), np.uint8)}
    arrays["x_test"] = rng.integers(0, 256, (n, *shape), np.uint8)
    made = Project(tmp_path, checked_dataset("blobs", arrays, names))
    (trial, *_) = made.searched("ann", [0.5])
    made.retrained("ann", trial, [first(0, n)])
    found = mistakes_data(made.findings(), Sheets(held=True))
    assert len(found["sheets"]["blobs"]["source"]) < 2_200_000
    counts = [len(cell[4]) for cell in found["cells"]]
    assert len(counts) == 30
    assert max(counts) <= EACH
    assert max(counts) - min(counts) <= 1
    assert min(counts) > 5


def test_the_page_of_a_thousand_trials_is_smaller_than_five_megabytes(thousand: Path) -> None:
    page = Page(thousand.read_text(encoding="utf-8"), {})
    assert thousand.stat().st_size < 5_000_000
    assert len(page.blocks["report"]["trials"]["rows"]) == 1000
    assert len(page.blocks["timing"]["timeline"]["bars"]) == 1006
    assert page.blocks["timing"]["timeline"]["rows"] == [["", 1], ["", 2], ["", 3], ["", 4]], "it had four workers"


def test_a_search_without_a_chosen_model_has_its_trials_and_no_empty_parts(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.searched("ann", [0.5, 0.6])
    assert page_of(made).headings == [
        "Verdict", "Comparison", "Trials", "Training curves", "Time", "Sample images", "Provenance",
    ]  # fmt: skip


def test_a_search_whose_trials_failed_tells_why(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs)
    made.searched("ann", [None])
    page = page_of(made)
    assert page.headings == [
        "Verdict", "Comparison", "Trials", "Time", "Sample images", "Failed trials", "Provenance",
    ]  # fmt: skip
    assert "No trial completed" in page.shown
    assert 'data-figure="parallel"' not in page.text


def test_a_search_that_has_not_begun_has_a_page(tmp_path: Path, blobs: Dataset) -> None:
    page = page_of(Project(tmp_path, blobs))
    assert page.headings == ["Verdict", "Comparison", "Provenance"], "what a study published"
    assert page.blocks["timing"] == {}


def test_choosing_on_the_test_set_is_said_on_top(tmp_path: Path, blobs: Dataset) -> None:
    made = Project(tmp_path, blobs, {**RAW, "protocol": "published"})
    made.searched("ann", [0.5, 0.6])
    assert page_of(made).shown.index("Published protocol.") < page_of(made).shown.index("Budget:")
