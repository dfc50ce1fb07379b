"""A search file is read whole and checked before anything is trained; what is wrong in it is said in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuner.errors import InputError
from tuner.search import Overrides, Search, backend_name
from tuner.search_file import find_search, load_search, search_from_json
from tuner.trial import Trial

SEARCHES = Path(__file__).parents[1] / "searches"


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


PLANNED = {"digits": 54, "fashion_cnn": 65, "fashion_ann_vs_cnn": 66, "fashion_random": 40, "overfitting": 2}


def test_every_search_file_has_its_number_of_trials_in_this_table() -> None:
    assert {path.stem for path in SEARCHES.glob("*.toml")} == set(PLANNED)


@pytest.mark.parametrize(("name", "trials"), PLANNED.items())
def test_a_search_file_plans_this_many_trials(name: str, trials: int) -> None:
    search = load_search(SEARCHES / f"{name}.toml")
    assert search.name == name
    assert sum(entry.planned(search.epochs) for entry in search.entries) == trials


def test_every_value_of_a_search_file_arrives() -> None:
    search = load_search(SEARCHES / "fashion_ann_vs_cnn.toml")
    assert (search.datasets, search.compare) == (("fashion_mnist",), ("mnist", "fashion_mnist"))
    assert search.all_datasets == ("fashion_mnist", "mnist")
    assert (search.seed, search.repeats, search.epochs, search.protocol) == (0, 3, 20, "holdout")
    assert [(entry.name, entry.label, entry.algorithm) for entry in search.entries] == [
        ("ann", "ANN", "grid"),
        ("cnn", "CNN", "grid"),
    ]
    (ann,) = search.entries[0].space.grid()
    assert (ann["dense_units"], ann["dense_units_2"], ann["optimizer"], ann["batch_size"]) == (512, 256, "rmsprop", 64)
    assert search.published is not None
    assert [group.mean for group in search.published.groups] == [0.87753, 0.901985, 0.8871486]


def test_two_searches_of_one_family_are_told_apart_by_their_names() -> None:
    entries = load_search(SEARCHES / "overfitting.toml").entries
    assert [(entry.name, entry.label) for entry in entries] == [("plain", "plain"), ("regularised", "regularised")]
    assert [next(entry.space.grid())["dropout"] for entry in entries] == [0.0, 0.5]


def test_what_a_search_file_leaves_out_has_these_defaults(tmp_path: Path) -> None:
    search = load(tmp_path)
    assert (search.seed, search.protocol, search.repeats, search.validation) == (0, "holdout", 3, 0.2)
    assert (search.threads, search.image_size, search.channels, search.compare) == (1, None, None, ())
    assert search.published is None


def test_a_list_of_data_sets_and_an_image_shape_are_taken(tmp_path: Path) -> None:
    search = load(tmp_path, dataset='dataset = ["mnist", "digits"]', top="image_size = [16, 12]\nchannels = 3")
    assert search.datasets == ("mnist", "digits")
    assert (search.image_size, search.channels) == ((16, 12), 3)


def test_a_users_own_network_takes_the_parameters_that_the_file_names(tmp_path: Path) -> None:
    (entry,) = load(
        tmp_path,
        search='family = "nets.small:Tiny"',
        space='width = [8, 16]\nrate = [0.5, 1]\nskip = [true, false]\nkind = "a"\nlearning_rate = 0.01',
    ).entries
    assert (entry.name, entry.label, entry.planned(3)) == ("tiny", "Tiny", 8)
    first = next(entry.space.grid())
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
    wrong("seed is a string", "seed", "'zero'", "integer", top='seed = "zero"'),
    wrong("seed is a boolean", "seed", "True", "integer", top="seed = true"),
    wrong("title is a number", "title", "3", "string", title="title = 3"),
    wrong("data set is a number", "dataset", "3", "string", dataset="dataset = 3"),
    wrong("a table is a number", "compare", "3", "dictionary", top="compare = 3"),
    wrong("the space is a number", "[[search]] 2", "space", "3", rest='[[search]]\nfamily = "ann"\nspace = 3'),
    wrong("epochs is a string", "training.epochs", "'ten'", "whole number", training='epochs = "ten"'),
    wrong("epochs is a fraction", "training.epochs", "1.5", "whole number", training="epochs = 1.5"),
    wrong("epochs is 0", "training.epochs", "0", "at least 1", training="epochs = 0"),
    wrong("threads is 0", "training.threads", "0", "at least 1", training="epochs = 3\nthreads = 0"),
    wrong("no title", "title", "missing", title=""),
    wrong("empty title", "title", "''", title='title = ""'),
    wrong("no data set", "dataset", "missing", dataset=""),
    wrong("empty list of data sets", "dataset", "empty", dataset="dataset = []"),
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
        "greater than or equal to 1",
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
    wrong("negative seed", "seed", "-1", "greater than or equal to 0", top="seed = -1"),
    wrong("misspelt protocol", "protocol", "'holdut'", "'holdout'", top='protocol = "holdut"'),
    wrong("no validation images", "validation", "0", "greater than 0", top="validation = 0"),
    wrong("only validation images", "validation", "1", "less than 1", top="validation = 1"),
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
    wrong("empty list in [compare]", "compare.datasets", "at least 1", rest="[compare]\ndatasets = []"),
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
    assert [list(entry.space.grid()) for entry in back.entries] == [
        list(entry.space.grid()) for entry in search.entries
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
    (entry,) = search.entries
    trial = search.trial(entry, "digits", "f", next(entry.space.grid()), None)
    assert (search.seed, search_from_json(search.to_json()).seed, trial.seed, trial.split_seed) == (0, 0, 0, 0)


def test_a_trial_of_a_search_carries_what_the_search_says(tmp_path: Path) -> None:
    search = load(
        tmp_path,
        Overrides(train_size=100, test_size=50),
        top='seed = 7\nvalidation = 0.25\nprotocol = "published"',
        training="epochs = 3\nthreads = 2",
    )
    (entry,) = search.entries
    values = next(entry.space.grid())
    trial = search.trial(entry, "digits", "abc", values, None)
    assert (trial.family, trial.dataset, trial.fingerprint, trial.values) == ("cnn", "digits", "abc", values)
    assert (trial.epochs, trial.seed, trial.split_seed) == (3, 7, 7)
    assert (trial.protocol, trial.validation) == ("published", 0.25)
    assert (trial.train_size, trial.test_size, trial.threads, trial.role) == (100, 50, 2, "search")
    assert search.trial(entry, "digits", "abc", values, 1).epochs == 1


def test_epochs_of_the_command_line_replace_those_of_the_file(tmp_path: Path) -> None:
    assert (load(tmp_path).epochs, load(tmp_path, Overrides(epochs=9)).epochs) == (3, 9)


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
        ("zzz", ["zzz", "known: digits, fashion_ann_vs_cnn"]),
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


TRIAL = Trial("cnn", "digits", "abc", {"conv_depth": 1, "filters_1": 16}, epochs=3, seed=0, test_size=None)


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


def test_a_trial_keeps_its_id_through_json_and_as_final_changes_only_role_and_seed() -> None:
    assert Trial.from_json(TRIAL.to_json()) == TRIAL
    assert Trial.from_json(TRIAL.to_json()).id == TRIAL.id
    assert TRIAL.as_final(5) == replace(TRIAL, role="final", seed=5)
