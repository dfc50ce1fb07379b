"""A search file is read whole and checked before anything is trained; what is wrong in it is said in one line."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuner.datasets import DATASETS
from tuner.errors import InputError
from tuner.families.pretrained import NO_WEIGHTS, Pretrained
from tuner.oracles.brackets import hyperband_trials
from tuner.recipe import RECIPE
from tuner.running.dryrun import preview
from tuner.search_file.checks import capitals
from tuner.search_file.file import find_search, load_search, parse_search, search_from_json
from tuner.search_file.model import Search
from tuner.search_file.model_search import ModelSearch
from tuner.search_file.overrides import Overrides, backend_name
from tuner.search_file.tables import ReportOptions
from tuner.trial import Trial

SEARCHES = Path(__file__).parents[2] / "searches"


def text_of(
    top: str = "",
    title: str = 'title = "A test"',
    dataset: str = 'dataset = "digits"',
    training: str = "epochs = 3",
    search: str = 'family = "cnn"',
    space: str = "",
    rules: str = "",
    rest: str = "",
) -> str:
    """A search file, right unless a part is given."""
    tables = ["[training]", training, "[[search]]", search, "[search.space]", space, "[search.rules]", rules]
    return "\n".join([title, dataset, top, *tables, rest])


def saved(folder: Path, name: str = "mine", **parts: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text_of(**parts), encoding="utf-8")
    return path


def load(folder: Path, overrides: Overrides | None = None, **parts: str) -> Search:
    return load_search(saved(folder, **parts), overrides or Overrides())


# --- the searches of this repository ---


FILES = sorted(path.stem for path in SEARCHES.glob("*.toml"))
#: How many search trials a file plans, counted by hand.
PLANNED = {
    "activations": 5,
    "batch_size": 4 * 3,
    "batchnorm_dropout": 5,
    "depth_shortcut": 6,
    "digits": 18 + 36,
    "fashion_ann": 65,
    "fashion_ann_vs_cnn": 1 + 65,
    "fashion_cnn": 65,
    "fashion_dropout_l2": 3 * 4,
    "fashion_published": 65,
    "fashion_random": 40,
    "fashion_top10": 10,
    "fashion_sgd": 3,
    "mnist_cnn_vs_mlp": 3,
    "mnist_learning_rates": 3 * 4,
    "overfitting": 2,
    "trash_photos": 10 + 20 + 4,
    "uneven_classes": 2 * 14,
    "vanishing_gradients": 2,
    "weather_photos": 10 + 20 + 4,
    "zoo_cifar10_wide": 1,
    "zoo_cifar100_wide": 1,
    "zoo_kmnist": 3,
    "zoo_mnist": 3,
}


@pytest.mark.parametrize(("name", "trials"), PLANNED.items())
def test_a_search_file_plans_this_many_trials(name: str, trials: int) -> None:
    search = load_search(SEARCHES / f"{name}.toml")
    assert search.name == name
    assert sum(model_search.planned() for model_search in search.model_searches) == trials


@pytest.mark.parametrize("name", FILES)
def test_every_search_file_is_right_and_comes_back_from_json(name: str) -> None:
    search = load_search(SEARCHES / f"{name}.toml")
    assert all(model_search.planned() > 0 for model_search in search.model_searches)
    back = search_from_json(search.to_json())
    assert replace(back, model_searches=()) == replace(search, model_searches=())
    assert back.key == search.key
    assert [(model_search.epochs, model_search.space.domains) for model_search in back.model_searches] == [
        (model_search.epochs, model_search.space.domains) for model_search in search.model_searches
    ]


#: Images and classes of the files of MedMNIST that searches name.
FILES_OF_DATA = {
    "trash_photos": ((96, 72, 3), 6),
    "weather_photos": ((64, 96, 3), 4),
    "retinamnist": ((28, 28, 3), 5),
    "breastmnist": ((28, 28, 1), 2),
}


#: By family, images and values the size of each network that was built: several files plan the same ones.
BUILT: dict[tuple[str, tuple[int, ...], int, str], int] = {}


def networks_of(model_search: ModelSearch, search: Search, dataset: str) -> dict[str, int]:
    """Return the size of each network that a model search plans, by what its family makes of it."""
    known = DATASETS.get(dataset)
    shape, classes = FILES_OF_DATA[dataset] if known is None else (known.shape, len(known.class_names))
    recipe = {parameter.name for parameter in RECIPE}
    sizes: dict[str, int] = {}
    # Weights of a pretrained network would be downloaded; random ones are as many.
    instead = {"weights": NO_WEIGHTS} if isinstance(model_search.family, Pretrained) else {}
    for proposed in preview(search, model_search):
        values = {**proposed, **instead}
        key = str({name: value for name, value in values.items() if name not in recipe})
        if key in sizes:
            continue
        built = (model_search.family.name, shape, classes, key)
        if built not in BUILT:
            BUILT[built] = int(model_search.family.network(values, shape, classes).count_params())
        sizes[key] = BUILT[built]
    return sizes


@pytest.mark.parametrize("name", FILES)
def test_every_planned_network_of_every_search_file_builds_and_is_as_large_as_printed(name: str) -> None:
    search = load_search(SEARCHES / f"{name}.toml")
    for dataset in search.datasets:
        sizes = {
            model_search.name: networks_of(model_search, search, dataset).values()
            for model_search in search.model_searches
        }
        for score in search.published.scores if search.published else ():
            if score.dataset != dataset:
                continue
            if score.parameters is not None:
                assert any(abs(size - score.parameters) <= 10 for size in sizes[score.model]), score
            if score.megabytes is not None:
                assert any(size * 4e-6 == pytest.approx(score.megabytes, rel=0.1) for size in sizes[score.model]), score


def test_every_value_of_a_search_file_arrives() -> None:
    search = load_search(SEARCHES / "fashion_ann_vs_cnn.toml")
    assert (search.datasets, search.compare) == (("fashion_mnist",), ("mnist", "fashion_mnist"))
    assert search.all_datasets == ("fashion_mnist", "mnist")
    assert (search.seed, search.repeats, search.epochs, search.protocol) == (0, 3, 20, "holdout")
    assert [
        (model_search.name, model_search.label, model_search.algorithm.name) for model_search in search.model_searches
    ] == [
        ("ann", "ANN", "grid"),
        ("cnn", "CNN", "grid"),
    ]
    (ann,) = search.model_searches[0].space.grid()
    assert (ann["dense_units"], ann["dense_units_2"], ann["optimizer"], ann["batch_size"]) == (512, 256, "rmsprop", 64)
    assert search.published is not None
    assert [group.mean for group in search.published.groups] == [0.87753, 0.901985, 0.8871486]


def test_two_searches_of_one_family_are_told_apart_by_their_names() -> None:
    model_searches = load_search(SEARCHES / "overfitting.toml").model_searches
    assert [(model_search.name, model_search.label) for model_search in model_searches] == [
        ("plain", "plain"),
        ("regularised", "regularised"),
    ]
    assert [next(model_search.space.grid())["dropout"] for model_search in model_searches] == [0.0, 0.5]


def test_what_a_search_file_leaves_out_has_these_defaults(tmp_path: Path) -> None:
    search = load(tmp_path)
    assert (search.seed, search.protocol, search.repeats, search.validation) == (0, "holdout", 5, 0.2)
    assert (search.threads, search.image_size, search.channels, search.compare) == (1, None, None, ())
    assert search.published is None
    assert (search.model_searches[0].watch, search.report) == ((), ReportOptions())


def test_a_list_of_data_sets_and_an_image_shape_are_taken(tmp_path: Path) -> None:
    search = load(tmp_path, dataset='dataset = ["mnist", "digits"]', top="image_size = [16, 12]\nchannels = 3")
    assert search.datasets == ("mnist", "digits")
    assert (search.image_size, search.channels) == ((16, 12), 3)


def test_a_users_own_network_takes_the_parameters_that_the_file_names(tmp_path: Path) -> None:
    (model_search,) = load(
        tmp_path,
        search='family = "nets.small:Tiny"',
        space='width = [8, 16]\nrate = [0.5, 1]\nskip = [true, false]\nkind = "a"\nlearning_rate = 0.01',
    ).model_searches
    assert (model_search.name, model_search.label, model_search.planned()) == ("tiny", "Tiny", 8)
    first = next(model_search.space.grid())
    assert {name: first[name] for name in ("width", "rate", "skip", "kind", "learning_rate")} == {
        "width": 8,
        "rate": 0.5,
        "skip": True,
        "kind": "a",
        "learning_rate": 0.01,
    }


# --- what is wrong in a search file ---


def wrong(name: str, *fragments: str, **parts: str) -> Any:
    return pytest.param(parts, fragments, id=name)


WRONG = [
    wrong("misspelt top-level key", "sed", "did you mean 'seed'?", top="sed = 1"),
    wrong(
        "misspelt key in [[search]]",
        "[[search]] 1",
        "algoritm",
        "did you mean 'algorithm'?",
        search='family = "cnn"\nalgoritm = "grid"',
    ),
    wrong(
        "misspelt key in [search.space]",
        "[[search]] 1",
        "space.conv_dept",
        "did you mean 'conv_depth'?",
        space="conv_dept = 1",
    ),
    wrong(
        "misspelt key in [training]",
        "training.lerning_rate",
        "did you mean 'learning_rate'?",
        training="epochs = 3\nlerning_rate = 0.1",
    ),
    wrong(
        "misspelt key in [compare]",
        "compare.datasts",
        "did you mean 'datasets'?",
        rest='[compare]\ndatasets = ["mnist"]\ndatasts = ["digits"]',
    ),
    wrong("misspelt rule", "filters_never_grow", "filters_never_", rules="filters_never_grow = true"),
    wrong(
        "the second search is wrong",
        "[[search]] 2",
        "space.dense_unit",
        "did you mean 'dense_units'?",
        rest='[[search]]\nfamily = "ann"\nspace = { dense_unit = 3 }',
    ),
    wrong("seed is a string", "seed", "'zero'", "is not a whole number", top='seed = "zero"'),
    wrong("seed is a boolean", "seed", "True", "is not a whole number", top="seed = true"),
    wrong("title is a number", "title", "3", "string", title="title = 3"),
    wrong("data set is a number", "dataset", "3", "string", dataset="dataset = 3"),
    wrong("a table is a number", "compare", "3", "is not a table", top="compare = 3"),
    wrong("the space is a number", "[[search]] 2", "space", "3", rest='[[search]]\nfamily = "ann"\nspace = 3'),
    wrong("epochs is a string", "training.epochs", "'ten'", "whole number", training='epochs = "ten"'),
    wrong("epochs is a fraction", "training.epochs", "1.5", "whole number", training="epochs = 1.5"),
    wrong("epochs is 0", "training.epochs", "0", "from 1 to", training="epochs = 0"),
    wrong("threads is 0", "training.threads", "0", "from 1 to", training="epochs = 3\nthreads = 0"),
    wrong("no title", "title", "missing", title=""),
    wrong("empty title", "title", "''", title='title = ""'),
    wrong("no data set", "dataset", "missing", dataset=""),
    wrong("empty list of data sets", "dataset", "[] has 0 of at least 1 items", dataset="dataset = []"),
    wrong("a data set twice", "dataset", "twice", dataset='dataset = ["mnist", "mnist"]'),
    wrong("no epochs", "training.epochs", "missing", "how many epochs", training=""),
    wrong("no family", "[[search]] 1", "family", "missing", search='name = "mine"'),
    wrong("empty list in the space", "space.filters", "empty", space="filters = []"),
    wrong("a rule leaves nothing", "rules", "'conv_depth > 9'", "loosen a rule", rules='where = "conv_depth > 9"'),
    wrong(
        "two rules leave nothing",
        "'conv_depth > 2'",
        "'conv_depth < 2'",
        rules='where = ["conv_depth > 2", "conv_depth < 2"]',
    ),
    wrong("a rule is not true or false", "rules.filters_never_decrease", "1", rules="filters_never_decrease = 1"),
    wrong("a rule cannot be computed", "conv_depth / 0", "by zero", rules='where = "conv_depth / 0 > 1"'),
    wrong("a rule is code", "rules.where", "__import__", rules="""where = '__import__("os").getcwd() == 1'"""),
    wrong("unknown family", "family", "'cn'", "did you mean 'cnn'?", search='family = "cn"'),
    wrong("half a path to a family", "family", "'nets:'", "package.module:name", search='family = "nets:"'),
    wrong("unknown algorithm", "[[search]] 1", "'gird'", "'grid'", search='family = "cnn"\nalgorithm = "gird"'),
    wrong(
        "random without max_trials", "max_trials", "missing", "'random'", search='family = "cnn"\nalgorithm = "random"'
    ),
    wrong("bayesian without max_trials", "max_trials", "'bayesian'", search='family = "cnn"\nalgorithm = "bayesian"'),
    wrong("max_trials of a grid", "max_trials", "grid", "remove it", search='family = "cnn"\nmax_trials = 5'),
    wrong(
        "max_trials is 0",
        "max_trials",
        "0",
        "is not 1 or more",
        search='family = "cnn"\nalgorithm = "random"\nmax_trials = 0',
    ),
    wrong(
        "two searches with the same name",
        "[[search]] 2",
        "'cnn'",
        "name",
        rest='[[search]]\nfamily = "cnn"',
    ),
    wrong("name with a space", "[[search]] 1", "name", "'my net'", search='family = "cnn"\nname = "my net"'),
    wrong(
        "a deeper layer than there is",
        "space.filters_5",
        "conv_depth is at most 3",
        space="conv_depth = [1, 3]\nfilters_5 = 8",
    ),
    wrong("negative seed", "seed", "-1", "is not 0 or more", top="seed = -1"),
    wrong("misspelt protocol", "protocol", "'holdut'", "'holdout'", top='protocol = "holdut"'),
    wrong("no validation images", "validation", "0", "is not above 0", top="validation = 0"),
    wrong("only validation images", "validation", "1", "is not below 1", top="validation = 1"),
    wrong("no repeats", "repeats", "0", top="repeats = 0"),
    wrong("two channels", "channels", "2", "1 for grey or 3 for colour", top="channels = 2"),
    wrong("one side of an image", "image_size", "[8]", top="image_size = [8]"),
    wrong("value out of bounds", "space.dropout", "2", "outside 0 to 0.95", space="dropout = [0.5, 2]"),
    wrong(
        "value out of bounds in [training]",
        "training.learning_rate",
        "-1",
        "outside",
        training="epochs = 3\nlearning_rate = -1",
    ),
    wrong("no such optimizer", "training.optimizer", "'adm'", "adam", training='epochs = 3\noptimizer = "adm"'),
    wrong("wrong type in the space", "space.batch_size", "'many'", "whole number", space='batch_size = [32, "many"]'),
    wrong(
        "a list in [training]",
        "training.learning_rate",
        "[0.1, 0.01]",
        "[search.space]",
        training="epochs = 3\nlearning_rate = [0.1, 0.01]",
    ),
    wrong("a range without a step in a grid", "dropout", "step", "random", space="dropout = { min = 0.0, max = 0.5 }"),
    wrong("a misspelt key of a range", "space.dropout", "'mx'", "max", space="dropout = { min = 0.0, mx = 0.5 }"),
    wrong("empty list in [compare]", "compare.datasets", "has 0 of at least 1 items", rest="[compare]\ndatasets = []"),
    wrong("negative epochs of an entry", "[[search]] 1", "epochs", "-1", search='family = "cnn"\nepochs = -1'),
    wrong("epochs of an entry are a fraction", "epochs", "2.5", search='family = "cnn"\nepochs = 2.5'),
    wrong("epochs of an entry alone", "training.epochs", "missing", training="", search='family = "cnn"\nepochs = 2'),
    wrong("what is watched is no list", "watch", "'first'", "list", top='watch = "first"'),
    wrong("what is watched is no name", "watch", "1", "string", top="watch = [1]"),
    wrong(
        "misspelt key in [report]", "report.pivot", "did you mean 'pivots'?", rest='[report]\npivot = [["model", "l2"]]'
    ),
    wrong(
        "a pivot of one parameter", "report.pivots 1", "of at least 2 items", rest='[report]\npivots = [["conv_depth"]]'
    ),
    wrong(
        "a pivot of three parameters",
        "report.pivots 1",
        "of at most 2 items",
        rest='[report]\npivots = [["conv_depth", "l2", "dropout"]]',
    ),
    wrong(
        "a pivot of an unknown parameter",
        "report.pivots",
        "'conv_dept'",
        "did you mean 'conv_depth'?",
        rest='[report]\npivots = [["model", "conv_dept"]]',
    ),
    wrong(
        "curves of an unknown parameter",
        "report.curves",
        "'lerning_rate'",
        "did you mean 'learning_rate'?",
        rest='[report]\ncurves = "lerning_rate"',
    ),
    wrong("an accuracy to reach above 1", "report.reach 1", "90.0", "is not below 1", rest="[report]\nreach = [90.0]"),
    wrong(
        "misspelt key in [published]",
        "published.score",
        "did you mean 'scores'?",
        rest='[published]\nstudy = "A"\nscore = []',
    ),
    wrong(
        "misspelt key of a published score",
        "published.scores 1.megabyte",
        "did you mean 'megabytes'?",
        rest='[published]\nstudy = "A"\nscores = [{ model = "cnn", dataset = "m", test_accuracy = 0.9, megabyte = 1 }]',
    ),
    wrong(
        "misspelt key of a published trial",
        "published.trials 1.value",
        "did you mean 'values'?",
        rest='[published]\nstudy = "A"\ntrials = [{ model = "cnn", value = { l2 = 0.1 }, accuracy = 0.9 }]',
    ),
    wrong(
        "misspelt key of a published group",
        "published.groups 1.men",
        "did you mean 'mean'?",
        rest='[published]\nstudy = "A"\ngroups = [{ parameter = "l2", value = 0.1, men = 0.9, sd = 0.1 }]',
    ),
    wrong(
        "a published score of an unknown model",
        "published",
        "'cnm'",
        "did you mean 'cnn'?",
        rest='[published]\nstudy = "A"\nscores = [{ model = "cnm", dataset = "mnist", test_accuracy = 0.9 }]',
    ),
    wrong(
        "a published trial of an unknown model",
        "published.trials 1",
        "'ann'",
        "'cnn'",
        rest='[published]\nstudy = "A"\ntrials = [{ model = "ann", values = { l2 = 0.1 }, accuracy = 0.9 }]',
    ),
    wrong(
        "a published trial of an unknown parameter",
        "published.trials 1",
        "'droput'",
        "did you mean 'dropout'?",
        rest='[published]\nstudy = "A"\ntrials = [{ model = "cnn", values = { droput = 0.1 }, accuracy = 0.9 }]',
    ),
    wrong(
        "a published trial of another search's parameter",
        "published.trials 1",
        "parameter of cnn",
        "'dense_dropout_1'",
        rest='[published]\nstudy = "A"\ntrials = [{ model = "cnn", values = { dense_dropout_1 = 1 }, accuracy = 1 }]',
    ),
    wrong(
        "a published trial without values",
        "published.trials 1.values",
        "of at least 1 items",
        rest='[published]\nstudy = "A"\ntrials = [{ model = "cnn", values = {}, accuracy = 0.9 }]',
    ),
    wrong(
        "a published score on a data set that is not searched",
        "published.scores 1",
        "'digit'",
        "did you mean 'digits'?",
        rest='[published]\nstudy = "A"\nscores = [{ model = "cnn", dataset = "digit", test_accuracy = 0.9 }]',
    ),
    wrong(
        "a published accuracy in percent",
        "published.scores 1.test_accuracy",
        "90.5",
        "is not 1 or less",
        rest='[published]\nstudy = "A"\nscores = [{ model = "cnn", dataset = "digits", test_accuracy = 90.5 }]',
    ),
    wrong(
        "a pivot of one parameter twice",
        "report.pivots",
        "'l2' stands there twice",
        rest='[report]\npivots = [["l2", "l2"]]',
    ),
    wrong(
        "momentum beside Adam", "training.momentum", "'sgd'", training='epochs = 3\noptimizer = "adam"\nmomentum = 0.9'
    ),
    wrong(
        "patience without early stopping",
        "training.patience",
        "is never used",
        "'val_loss' or 'val_accuracy'",
        training="epochs = 3\npatience = 2",
    ),
    wrong(
        "steps of a schedule behind the last epoch",
        "[[search]] 1",
        "schedule_steps",
        "'2 3' goes beyond 3 epochs",
        training='epochs = 3\nschedule = "steps"\nschedule_steps = "2 3"',
    ),
    wrong("nothing but warm-up", "warmup_epochs", "3 is not below the 3", training="epochs = 3\nwarmup_epochs = 3"),
    wrong(
        "a published group of an unknown parameter",
        "published",
        "'conv_dept'",
        "did you mean 'conv_depth'?",
        rest='[published]\nstudy = "A"\ngroups = [{ parameter = "conv_dept", value = 1, mean = 0.9, sd = 0.1 }]',
    ),
    wrong("a published study without its name", "published.study", "missing", rest="[published]\nscores = []"),
    wrong(
        "steps of a schedule that do not rise",
        "training.schedule_steps",
        "'9 5'",
        "is not rising epochs",
        training='epochs = 3\nschedule = "steps"\nschedule_steps = "9 5"',
    ),
    wrong(
        "a depth that no residual network has",
        "space.depth",
        "21 is not 6n + 2",
        "take 20 or 26",
        search='family = "resnet_cifar"',
        space="depth = [20, 21]",
    ),
    wrong("not TOML", "TOML", "line 3", top="seed = "),
    wrong("a key twice", "TOML", "line", top="seed = 1\nseed = 2"),
]


@pytest.mark.parametrize(("parts", "fragments"), WRONG)
def test_a_wrong_search_file_is_refused_in_one_line(
    tmp_path: Path, parts: dict[str, str], fragments: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, **parts)
    file, _, message = str(caught.value).partition("mine.toml")
    assert file == f"{tmp_path}/"
    assert len(str(caught.value).splitlines()) == 1
    assert [part for part in fragments if part not in message] == []


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes('title = "Größe"'.encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.toml.*utf-8"):
        load_search(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml.*cannot be read"):
        load_search(tmp_path / "none.toml")


def test_a_file_name_that_no_report_could_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"my search\.toml.*letters, digits"):
        load_search(saved(tmp_path, name="my search"))


# --- the key of a search ---


def test_a_search_comes_back_from_json_with_the_same_key_and_plan() -> None:
    search = load_search(SEARCHES / "fashion_ann_vs_cnn.toml", Overrides(epochs=2, train_size=500))
    back = search_from_json(search.to_json())
    assert back.key == search.key
    assert (back.name, back.folder, back.file_hash, back.overrides, back.epochs) == (
        search.name,
        search.folder,
        search.file_hash,
        search.overrides,
        2,
    )
    assert [list(model_search.space.grid()) for model_search in back.model_searches] == [
        list(model_search.space.grid()) for model_search in search.model_searches
    ]


@pytest.mark.parametrize("changed", [{"epochs": 2}, {"train_size": 100}, {"test_size": 100}])
def test_overrides_change_the_key(tmp_path: Path, changed: dict[str, int]) -> None:
    assert load(tmp_path, Overrides(**changed)).key != load(tmp_path).key


@pytest.mark.parametrize(
    "parts",
    [
        {"top": "seed = 2"},
        {"top": "seed = 0"},
        {"top": "seed = 1", "training": "epochs = 4"},
        {"top": "seed = 1", "space": "filters = 8"},
        {"top": "seed = 1", "rules": "filters_never_decrease = true"},
        {"top": 'seed = 1\nprotocol = "published"'},
    ],
)
def test_what_the_file_says_changes_the_key(tmp_path: Path, parts: dict[str, str]) -> None:
    assert load(tmp_path, **parts).key != load(tmp_path, top="seed = 1").key


def test_the_order_of_the_lines_is_part_of_the_key_because_a_grid_may_follow_it(tmp_path: Path) -> None:
    lines = ["filters = 8", "dropout = 0.5"]
    assert load(tmp_path, space="\n".join(lines)).key != load(tmp_path, space="\n".join(reversed(lines))).key


def test_a_comment_changes_the_hash_of_the_file_but_not_the_key(tmp_path: Path) -> None:
    plain, commented = load(tmp_path), load(tmp_path, top="# a comment")
    assert commented.key == plain.key
    assert commented.file_hash != plain.file_hash


def test_another_backend_is_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = set()
    for backend in ("tensorflow", "jax"):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        keys.add(load(tmp_path).key)
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("config", "expected"),
    [(None, "tensorflow"), ('{"backend": "jax"}', "jax"), ("not json", "tensorflow"), ("[]", "tensorflow")],
)
def test_the_backend_is_read_where_keras_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str | None, expected: str
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if config is not None:
        (tmp_path / "keras.json").write_text(config, encoding="utf-8")
    assert backend_name() == expected


def test_seed_0_is_a_seed(tmp_path: Path) -> None:
    search = load(tmp_path, top="seed = 0")
    (model_search,) = search.model_searches
    trial = search.trial(model_search, "digits", "f", next(model_search.space.grid()), None)
    assert (search.seed, search_from_json(search.to_json()).seed, trial.seed, trial.split_seed) == (0, 0, 0, 0)


def test_a_trial_of_a_search_carries_what_the_search_says(tmp_path: Path) -> None:
    search = load(
        tmp_path,
        Overrides(train_size=100, test_size=50),
        top='seed = 7\nvalidation = 0.25\nprotocol = "published"',
        training="epochs = 3\nthreads = 2",
    )
    (model_search,) = search.model_searches
    values = next(model_search.space.grid())
    trial = search.trial(model_search, "digits", "abc", values, None)
    assert (trial.family, trial.dataset, trial.fingerprint, trial.values) == ("cnn", "digits", "abc", values)
    assert (trial.epochs, trial.seed, trial.split_seed) == (3, 7, 7)
    assert (trial.protocol, trial.validation) == ("published", 0.25)
    assert (trial.train_size, trial.test_size, trial.threads, trial.role) == (100, 50, 2, "search")
    assert search.trial(model_search, "digits", "abc", values, 1).epochs == 1


TWO = {"search": 'family = "cnn"\nepochs = 7', "rest": '[[search]]\nfamily = "ann"'}


@pytest.mark.parametrize(("override", "epochs"), [(None, [7, 3]), (9, [9, 9])])
def test_epochs_of_an_entry_beat_those_of_training_and_those_of_the_command_line_beat_both(
    tmp_path: Path, override: int | None, epochs: list[int]
) -> None:
    search = load(tmp_path, Overrides(epochs=override), **TWO)
    assert search.epochs == (override or 3)
    assert [model_search.epochs for model_search in search.model_searches] == epochs
    trials = [
        search.trial(model_search, "digits", "f", next(model_search.space.grid()), None)
        for model_search in search.model_searches
    ]
    assert [trial.epochs for trial in trials] == epochs
    assert [model_search.epochs for model_search in search_from_json(search.to_json()).model_searches] == epochs


def test_hyperband_plans_with_the_epochs_of_its_entry(tmp_path: Path) -> None:
    wide = "dense_units = { min = 1, max = 500 }"
    planned = [
        load(tmp_path, search=f'family = "cnn"\nalgorithm = "hyperband"\n{epochs}', space=wide)
        .model_searches[0]
        .planned()
        for epochs in ("", "epochs = 9")
    ]
    assert planned == [hyperband_trials(3), hyperband_trials(9)]


@pytest.mark.parametrize(
    ("given", "override", "rungs", "lag"),
    [
        ("", None, (1, 3), 16),
        ('algorithm = "bayesian"\nmax_trials = 9', None, (1, 3), 4),
        ("epochs = 20\nprune_factor = 4\nlag = 2", None, (2, 5, 20), 2),
        ("epochs = 20\nprune_first = 1", None, (1, 3, 9, 20), 16),
        ("epochs = 20\nprune_first = 4", 6, (4, 6), 16),
        ("epochs = 20\nprune_first = 4", 3, None, 4),
        ("epochs = 1", None, None, 4),
    ],
)
def test_a_search_that_prunes_knows_its_rungs(
    tmp_path: Path, given: str, override: int | None, rungs: tuple[int, ...] | None, lag: int
) -> None:
    part = f'family = "ann"\nprune = "halving"\n{given}'
    (found,) = load(tmp_path, Overrides(epochs=override), search=part).model_searches
    assert (found.pruning.rungs if found.pruning else None) == rungs
    assert found.lag == lag
    assert found.varies_epochs == (rungs is not None)


# --- what is watched, reported and published ---


def test_watched_layers_are_part_of_every_search_trial_and_an_entry_can_name_its_own(tmp_path: Path) -> None:
    more = '[[search]]\nfamily = "ann"\nwatch = ["dense_1"]\n[[search]]\nname = "no"\nfamily = "ann"\nwatch = []'
    search = load(tmp_path, top='watch = ["first", "conv_2"]', rest=more)
    trials = [
        search.trial(model_search, "digits", "f", next(model_search.space.grid()), None)
        for model_search in search.model_searches
    ]
    assert [model_search.watch for model_search in search.model_searches] == [("first", "conv_2"), ("dense_1",), ()]
    assert [trial.watch for trial in trials] == [model_search.watch for model_search in search.model_searches]
    assert trials[0].as_final(1).watch == ()


def test_retrainings_are_watched_where_the_file_asks_for_it_and_are_others_then(tmp_path: Path) -> None:
    more = '[[search]]\nfamily = "ann"'
    asked = load(tmp_path, top='watch = ["every"]\nwatch_retrainings = true', rest=more)
    assert asked.watch_retrainings
    assert not load(tmp_path, top='watch = ["every"]', rest=more).watch_retrainings
    model_search = asked.model_searches[0]
    trial = asked.trial(model_search, "digits", "f", next(model_search.space.grid()), None)
    assert trial.as_final(1, watched=True).watch == ("every",)
    assert trial.as_final(1, watched=True).id != trial.as_final(1).id


def test_wishes_for_the_report_arrive(tmp_path: Path) -> None:
    rest = '[report]\npivots = [["model", "filters_1"], ["l2", "dropout"]]\ncurves = "l2"\nreach = [0.5, 0.9]'
    report = load(tmp_path, rest=rest).report
    assert report.pivots == [["model", "filters_1"], ["l2", "dropout"]]
    assert (report.curves, report.reach) == ("l2", [0.5, 0.9])


def test_a_parameter_of_any_entry_can_be_reported_on(tmp_path: Path) -> None:
    rest = '[[search]]\nfamily = "resnet_cifar"\n[report]\npivots = [["conv_depth", "depth"]]\ncurves = "warmup_epochs"'
    assert load(tmp_path, rest=rest).report.curves == "warmup_epochs"


def test_splits_are_asked_for_with_or_without_data_sets_to_compare_on(tmp_path: Path) -> None:
    search = load(tmp_path, rest="[compare]\nsplits = 3")
    assert (search.splits, search.split, search.compare) == (3, 1, ())
    search = load(tmp_path, rest='[compare]\nsplits = 2\ndatasets = ["mnist"]')
    assert (search.splits, search.compare) == (2, ("mnist",))
    assert load(tmp_path).splits == 1


def test_a_further_split_has_the_file_and_the_key_of_its_search_and_a_name_of_its_own(tmp_path: Path) -> None:
    search = load(tmp_path, rest="[compare]\nsplits = 3")
    other = search.at_split(3)
    assert (other.name, other.split) == (f"{search.name}#3", 3)
    assert (other.file, other.key) == (search.file, search.key)
    assert other.at_split(1) == search
    again = search_from_json(other.to_json())
    assert (again.name, again.split, again.key) == (other.name, 3, other.key)


def test_what_a_study_printed_arrives(tmp_path: Path) -> None:
    published = load(
        tmp_path,
        search='family = "cnn"\nname = "Net"',
        rest="""
        [compare]
        datasets = ["mnist"]
        [published]
        study = "A study"
        chosen_on_test_set = true
        runs = 3
        scores = [
            { model = "Net", dataset = "mnist", test_accuracy = 1, test_loss = 0.5, megabytes = 2.5, why = "w" },
            { model = "Net", dataset = "digits", test_accuracy = [0.75, 0.8], parameters = 10 },
        ]
        trials = [
            { model = "Net", values = { l2 = 0.1, filters_1 = 8 }, accuracy = 0.9 },
            { model = "Net", values = { batch_norm = true, optimizer = "sgd" }, accuracy = 0.8, dataset = "mnist" },
        ]
        groups = [{ parameter = "l2", value = 0.1, mean = 0.9, sd = 0.01, dataset = "mnist" }]
        """,
    ).published
    assert published is not None
    assert (published.chosen_on_test_set, published.runs) == (True, 3)
    one, other = published.scores
    assert (one.span, one.test_loss, one.parameters, one.megabytes, one.why) == ((1, 1), 0.5, None, 2.5, "w")
    assert (other.span, other.parameters) == ((0.75, 0.8), 10)
    assert [trial.values for trial in published.trials] == [
        {"l2": 0.1, "filters_1": 8},
        {"batch_norm": True, "optimizer": "sgd"},
    ]
    assert published.trials[1].values["batch_norm"] is True
    assert [trial.dataset for trial in published.trials] == [None, "mnist"]
    assert published.groups[0].dataset == "mnist"


@pytest.mark.parametrize(
    ("training", "space"),
    [
        ("momentum = 0.9", 'optimizer = ["adam", "sgd"]'),
        ('schedule = "steps"\nschedule_steps = "1 2"', ""),
        ('schedule_steps = "1 2"', 'schedule = ["cosine", "steps"]'),
        ("warmup_epochs = 2", ""),
        ('early_stopping = "val_loss"\npatience = 1', ""),
    ],
)
def test_settings_that_some_trial_uses_are_taken(tmp_path: Path, training: str, space: str) -> None:
    assert load(tmp_path, training=f"epochs = 3\n{training}", space=space).model_searches[0].planned() > 0


def test_a_smaller_number_of_epochs_on_the_command_line_leaves_a_schedule_right(tmp_path: Path) -> None:
    training = 'epochs = 50\nschedule = "steps"\nschedule_steps = "14 29 39"\nwarmup_epochs = 5'
    assert load(tmp_path, Overrides(epochs=2), training=training).model_searches[0].epochs == 2


# --- finding a search ---


def test_a_search_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    path = saved(tmp_path, name="mine")
    assert find_search("mine", tmp_path) == path
    assert find_search(str(path), tmp_path / "elsewhere") == path
    assert find_search("fashion_cnn", SEARCHES) == SEARCHES / "fashion_cnn.toml"


@pytest.mark.parametrize(
    ("name", "fragments"),
    [
        ("fashion_cn", ["fashion_cn", "did you mean 'fashion_cnn'?"]),
        ("zzz", ["zzz", "known: ", "digits, fashion_ann, fashion_ann_vs_cnn"]),
        ("no/such.toml", ["no/such.toml", "no such search file"]),
        ("such.toml", ["such.toml", "no such search file"]),
    ],
)
def test_a_search_that_is_not_there_is_refused_with_the_nearest_name(name: str, fragments: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        find_search(name, SEARCHES)
    assert [part for part in fragments if part not in str(caught.value)] == []


def test_a_missing_folder_of_searches_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        find_search("mine", tmp_path / "searches")


# --- the name of a trial ---


TRIAL = Trial("cnn", "digits", "0123456789abcdef", {"conv_depth": 1, "filters_1": 16}, epochs=3, seed=0, test_size=None)


@pytest.mark.parametrize(
    "changed",
    [
        {"family": "ann"},
        {"fingerprint": "abd"},
        {"values": {"conv_depth": 1, "filters_1": 32}},
        {"values": {"conv_depth": 1, "filters_1": 16, "dropout": 0.5}},
        {"epochs": 4},
        {"seed": 1},
        {"protocol": "published"},
        {"role": "final"},
        {"validation": 0.3},
        {"split_seed": 1},
        {"train_size": 100},
        {"threads": 2},
        {"backend": "jax"},
        {"source": "0123"},
        {"stop_after": 2},
        {"watch": ("first",)},
    ],
    ids=str,
)
def test_what_a_trial_is_changes_its_id(changed: dict[str, Any]) -> None:
    assert replace(TRIAL, **changed).id != TRIAL.id


@pytest.mark.parametrize(
    "changed", [{"dataset": "the same under another name"}, {"values": {"filters_1": 16, "conv_depth": 1}}], ids=str
)
def test_what_a_trial_is_called_does_not_change_its_id(changed: dict[str, Any]) -> None:
    assert replace(TRIAL, **changed).id == TRIAL.id


@pytest.mark.parametrize(
    ("role", "protocol", "matters"),
    [
        ("search", "holdout", False),
        ("final", "holdout", True),
        ("search", "published", True),
        ("final", "published", True),
    ],
)
def test_the_size_of_the_test_set_matters_only_where_it_is_looked_at(role: Any, protocol: Any, matters: bool) -> None:
    trial = replace(TRIAL, role=role, protocol=protocol)
    assert (replace(trial, test_size=50).id != trial.id) is matters


@pytest.mark.parametrize(
    ("role", "protocol", "matters"),
    [("search", "holdout", True), ("final", "holdout", False), ("search", "published", False)],
)
def test_the_share_of_validation_images_matters_only_where_they_are_held_out(
    role: Any, protocol: Any, matters: bool
) -> None:
    trial = replace(TRIAL, role=role, protocol=protocol)
    assert (replace(trial, validation=0.3).id != trial.id) is matters


@pytest.mark.parametrize(
    "changed", [{}, {"stop_after": 2}, {"watch": ("first", "conv_2")}, {"role": "final", "stop_after": 1}], ids=str
)
def test_a_trial_is_the_same_after_json(changed: dict[str, Any]) -> None:
    trial = replace(TRIAL, **changed)
    back = Trial.from_json(trial.to_json())
    assert back == trial
    assert back.id == trial.id
    assert isinstance(back.watch, tuple)


def test_a_final_trial_has_another_role_and_seed_may_stop_early_and_is_not_watched() -> None:
    assert TRIAL.as_final(5) == replace(TRIAL, role="final", seed=5)
    watched = replace(TRIAL, watch=("first",))
    assert watched.as_final(5, stop_after=2) == replace(TRIAL, role="final", seed=5, stop_after=2)
    assert TRIAL.as_final(5, hold_out=0.2).id not in (TRIAL.as_final(5).id, TRIAL.as_final(5, hold_out=0.1).id)


def test_trials_without_the_newer_fields_are_named_as_they_were_before_these_came() -> None:
    # Ids that the version without `stop_after`, `watch` and `hold_out` gave: recorded trials are found by them.
    assert (TRIAL.id, TRIAL.as_final(5).id) == ("a33b0bb9e3ba3a20", "7935bc3023ae271c")
    assert replace(TRIAL, stop_after=None, watch=(), hold_out=0.0).id == TRIAL.id
    newer = ("stop_after", "watch", "hold_out")
    before = {key: value for key, value in json.loads(TRIAL.to_json()).items() if key not in newer}
    assert Trial.from_json(json.dumps(before)) == TRIAL


def test_repeats_of_the_command_line_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(
        'title = "x"\ndataset = "digits"\nrepeats = 4\n[training]\nepochs = 1\n[[search]]\nfamily = "ann"\n'
    )
    assert load_search(path).repeats == 4
    assert load_search(path, Overrides(repeats=1)).repeats == 1


# --- what is no search file ---


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        pytest.param(lambda path: path.write_bytes(b"#" * 1_000_001), "is larger than 1 MB", id="large"),
        pytest.param(lambda path: path.write_text("a = " + "[" * 100_000), "nested too deeply", id="brackets"),
        pytest.param(lambda path: path.write_text("a = " + "{a=" * 100_000), "nested too deeply", id="tables"),
        pytest.param(lambda path: path.write_text("a = " + "9" * 5000), "is not valid TOML", id="5,000 digits"),
        pytest.param(lambda path: path.write_bytes(b'title = "\xff"'), "is not valid TOML", id="not UTF-8"),
        pytest.param(lambda path: path.write_text('title = "\x1b"'), "is not valid TOML", id="a control character"),
        pytest.param(os.mkfifo, "is not a file", id="a pipe"),
        pytest.param(lambda path: path.mkdir(), "is not a file", id="a folder"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "is not a file", id="a device"),
        pytest.param(lambda path: path.symlink_to(path), "cannot be read", id="a link to itself"),
        pytest.param(lambda path: path.write_text("title = '" + "x" * 900_000 + "'\nseed = 'x'"), "x.toml", id="long"),
    ],
)
def test_what_is_no_search_file_is_refused_in_one_short_line(tmp_path: Path, write: Any, problem: str) -> None:
    write(tmp_path / "x.toml")
    with pytest.raises(InputError) as caught:
        load_search(tmp_path / "x.toml")
    assert str(caught.value).startswith(str(tmp_path / "x.toml"))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600 + len(str(tmp_path))


@pytest.mark.parametrize("name", ["-x", "..", "a b", "x" * 101, "é", "a|b"])
def test_a_file_whose_name_cannot_name_a_report_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.toml").write_text("title = 'x'")
    with pytest.raises(InputError, match="its name must be up to 100 letters"):
        load_search(tmp_path / f"{name}.toml")


def _named(models: list[str], datasets: list[str]) -> Search:
    raw = {
        "title": "x",
        "dataset": datasets,
        "training": {"epochs": 1},
        "search": [{"family": "ann", "name": name, "space": {"dense_units": 4}} for name in models],
    }
    return parse_search(raw, "x", Path(), Overrides(), "")


@pytest.mark.parametrize(
    ("models", "datasets"),
    [
        (["a", "a-b"], ["b-c", "c"]),
        (["a", "a-b"], ["c", "b-c"]),
        (["a"], ["x/Data.npz", "y/data.npz", "DATA"]),
        (["a"], ["../../../etc/x.npz", "/etc/x", "~/x.npz", "x"]),
        (["a"], ["日本", "né", "..", "-"]),
        (["a"], ["n" * 300, "n" * 301]),
    ],
)
def test_no_two_files_of_models_are_called_alike_and_none_leads_elsewhere(
    models: list[str], datasets: list[str]
) -> None:
    search = _named(models, datasets)
    files = [
        f"{model_search.name}-{search.slugs[name]}".lower()
        for model_search in search.model_searches
        for name in datasets
    ]
    assert len(set(files)) == len(files)
    assert all(re.fullmatch(r"[a-z0-9._-]{1,150}", file) and not file.startswith(".") for file in files)


def test_models_whose_names_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(InputError, match="a second search is named 'Net'"):
        _named(["net", "Net"], ["digits"])


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "-x", "", "a b", "x" * 41, "a\n"])
def test_a_model_s_name_is_a_name(name: str) -> None:
    with pytest.raises(InputError, match=r"\[\[search\]\] 1.name"):
        _named([name], ["digits"])


def test_a_choice_in_other_capitals_is_the_choice_with_a_word_about_it(tmp_path: Path) -> None:
    training, space = 'epochs = 3\noptimizer = "Adam"', 'activation = ["ReLU", "tanh"]'
    search = load(tmp_path, training=training, space=space)
    values = [dict(configuration) for configuration in search.model_searches[0].space.grid()]
    assert [(one["optimizer"], one["activation"]) for one in values] == [("adam", "relu"), ("adam", "tanh")]
    assert capitals(search) == [
        "training.optimizer: 'Adam' is read as 'adam'.",
        "[[search]] 1 space.activation: 'ReLU' is read as 'relu'.",
    ]
    same = load(tmp_path, training=training.lower(), space=space.lower())
    trials = [one.trial(one.model_searches[0], "digits", "f", values[0], None).id for one in (search, same)]
    assert trials[0] == trials[1]
    assert capitals(same) == []
