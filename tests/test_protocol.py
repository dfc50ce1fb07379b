"""Which images train, which choose, which score; and the order of the trials."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tuner import protocol  # not its functions: one is named test_images
from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.trial import Record, Result, Trial

TRIAL = Trial("ann", "blobs", "0" * 16, {"units": 8}, epochs=2, seed=0)


def data_of(labels: np.ndarray, validation_images: int = 0) -> Dataset:
    """Return a data set with these training labels, the last of which may be its own validation set's."""
    images = np.zeros((len(labels), 1, 1, 1), np.uint8)
    names = tuple(map(str, range(int(labels.max()) + 1)))
    return Dataset("blobs", images, labels, images[:2], labels[:2], names, validation_images=validation_images)


def shuffled(counts: list[int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


@pytest.mark.parametrize(
    ("counts", "size", "quota"),
    [
        ([50, 50], 20, [10, 10]),
        ([60, 30, 10], 10, [6, 3, 1]),
        ([70, 20, 10], 15, [11, 3, 1]),  # 10.5, 3 and 1.5: equal remainders fall to the lower class
        ([50, 30, 20], 8, [4, 2, 2]),  # 4, 2.4 and 1.6
        ([34, 33, 33], 10, [4, 3, 3]),  # 3.4, 3.3, 3.3
        ([10, 10, 10], 4, [2, 1, 1]),
        ([10, 10, 10], 27, [9, 9, 9]),
        ([99, 1], 50, [50, 0]),  # a class with one image has none to spare
    ],
)
def test_each_class_keeps_its_share_by_largest_remainder(counts, size, quota):
    labels = shuffled(counts)
    drawn, _ = protocol.stratified(labels, size, seed=0)
    assert np.bincount(labels[drawn], minlength=len(counts)).tolist() == quota


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=80, deadline=None)
def test_the_halves_are_sorted_disjoint_and_complete_and_hold_every_class_that_has_two(counts, share, seed):
    least, most = sum(count >= 2 for count in counts), sum(count - 1 for count in counts)
    assume(most > 0)
    labels = shuffled(counts, seed % 100)
    drawn, others = protocol.stratified(labels, round(least + share * (most - least)), seed)
    assert sorted([*drawn, *others]) == list(range(len(labels)))
    assert drawn.tolist() == sorted(drawn)
    assert others.tolist() == sorted(others)
    for label, count in enumerate(counts):
        if count >= 2:
            assert label in labels[drawn]
            assert label in labels[others]


@given(counts=st.lists(st.integers(2, 60), min_size=1, max_size=6), share=st.floats(0.05, 0.95))
@settings(max_examples=80, deadline=None)
def test_the_size_is_exact_and_no_share_is_off_by_one_where_no_class_is_too_small(counts, share):
    labels = shuffled(counts)
    size = round(share * len(labels))
    exact = np.array(counts) * size / len(labels)
    assume((exact >= 1).all() and (np.ceil(exact) <= np.array(counts) - 1).all())
    drawn, _ = protocol.stratified(labels, size, seed=0)
    assert len(drawn) == size
    assert (abs(np.bincount(labels[drawn], minlength=len(counts)) - exact) < 1).all()


def test_the_draw_depends_on_labels_size_and_seed_alone():
    labels = shuffled([40, 30, 30])
    first = protocol.stratified(labels, 20, seed=5)[0]
    np.random.default_rng(1).random(10)  # nothing global is drawn from
    np.testing.assert_array_equal(first, protocol.stratified(labels.copy(), 20, seed=5)[0])
    assert first.tolist() != protocol.stratified(labels, 20, seed=6)[0].tolist()
    assert first.tolist() != protocol.stratified(labels, 20, seed=0)[0].tolist()


def test_a_draw_is_not_the_first_images_of_a_class():
    drawn, _ = protocol.stratified(np.zeros(1000, dtype=np.int64), 100, seed=0)
    assert drawn.max() > 800


def test_holdout_splits_the_training_set_into_what_fits_and_what_chooses():
    labels = shuffled([60, 40])
    fit, validation = protocol.training_images(replace(TRIAL, validation=0.25), data_of(labels))
    assert np.bincount(labels[validation]).tolist() == [15, 10]
    assert np.bincount(labels[fit]).tolist() == [45, 30]
    assert sorted([*fit, *validation]) == list(range(100))


def test_every_trial_of_a_search_is_validated_on_the_same_images():
    labels = shuffled([60, 40])
    first, second = (
        protocol.training_images(trial, data_of(labels))[1]
        for trial in (TRIAL, replace(TRIAL, seed=99, values={"units": 4}, epochs=7))
    )
    np.testing.assert_array_equal(first, second)
    other = protocol.training_images(replace(TRIAL, split_seed=1), data_of(labels))[1]
    assert first.tolist() != other.tolist()


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param(replace(TRIAL, protocol="published"), id="published search"),
        pytest.param(replace(TRIAL, protocol="published", role="final"), id="published final"),
        pytest.param(replace(TRIAL, role="final"), id="holdout final"),
    ],
)
def test_a_final_and_a_published_trial_fit_everything_and_hold_nothing_out(trial):
    fit, validation = protocol.training_images(trial, data_of(shuffled([6, 4])))
    assert fit.tolist() == list(range(10))
    assert validation is None


@pytest.mark.parametrize("train_size", [None, 100, 5000])
def test_a_train_size_of_all_images_or_more_is_all_of_them(train_size):
    fit, _ = protocol.training_images(replace(TRIAL, train_size=train_size, role="final"), data_of(shuffled([60, 40])))
    assert len(fit) == 100


def test_a_smaller_train_size_is_drawn_first_and_split_then():
    labels = shuffled([60, 40])
    small = replace(TRIAL, train_size=50)
    fit, validation = protocol.training_images(small, data_of(labels))
    everything, _ = protocol.training_images(small.as_final(seed=1), data_of(labels))
    assert np.bincount(labels[everything]).tolist() == [30, 20]
    assert sorted([*fit, *validation]) == everything.tolist()
    assert np.bincount(labels[validation]).tolist() == [6, 4]


@pytest.mark.parametrize(
    ("counts", "changes"),
    [
        pytest.param([2, 2, 2], {}, id="a fifth of 6 is less than 3 classes"),
        pytest.param([2, 2, 2], {"validation": 0.8}, id="what is left is less than 3 classes"),
        pytest.param([50, 50, 50], {"train_size": 6}, id="a small train size"),
        pytest.param([1, 1], {}, id="one image of each class"),
    ],
)
def test_too_few_images_to_hold_out_some_of_each_class_are_an_input_error(counts, changes):
    with pytest.raises(InputError) as caught:
        protocol.training_images(replace(TRIAL, **changes), data_of(shuffled(counts)))
    assert str(caught.value).startswith("blobs: ")
    assert "too few" in str(caught.value)
    assert "--train-size" in str(caught.value)


OWN = data_of(np.concatenate((shuffled([60, 40]), shuffled([6, 14], seed=1))), validation_images=20)


def test_a_data_sets_own_validation_images_are_held_out_and_no_others():
    fit, validation = protocol.training_images(TRIAL, OWN)
    assert fit.tolist() == list(range(100))
    assert validation.tolist() == list(range(100, 120))
    for other in (replace(TRIAL, validation=0.5), replace(TRIAL, split_seed=7)):
        assert protocol.training_images(other, OWN)[1].tolist() == validation.tolist()


@pytest.mark.parametrize("trial", [TRIAL.as_final(seed=1), replace(TRIAL, protocol="published")])
def test_a_chosen_network_is_trained_on_the_own_validation_images_too(trial):
    fit, validation = protocol.training_images(trial, OWN)
    assert fit.tolist() == list(range(120))
    assert validation is None


@pytest.mark.parametrize("protocol_", ["holdout", "published"])
def test_what_retrainings_hold_out_is_drawn_from_the_own_validation_images_too(protocol_):
    final = replace(TRIAL, protocol=protocol_).as_final(seed=1, hold_out=0.25)
    fit, held = protocol.training_images(final, OWN)
    assert len(held) == 30
    assert sorted([*fit, *held]) == list(range(120))
    assert held.min() < 100 <= held.max()


def test_a_smaller_train_size_is_drawn_of_both_in_proportion():
    small = replace(TRIAL, train_size=30)
    fit, validation = protocol.training_images(small, OWN)
    everything, _ = protocol.training_images(small.as_final(seed=1), OWN)
    assert np.bincount(OWN.y_train[fit]).tolist() == [15, 10]
    assert len(validation) == 5
    assert validation.min() >= 100
    assert everything.tolist() == [*fit, *validation]
    assert len(protocol.training_images(replace(TRIAL, train_size=500), OWN)[0]) == 100


def test_an_own_validation_set_that_lacks_a_class_is_taken_as_it_is():
    lacks = data_of(np.concatenate((shuffled([30, 30, 30]), np.zeros(2, np.int64))), validation_images=2)
    assert protocol.training_images(TRIAL, lacks)[1].tolist() == [90, 91]


def test_all_test_images_score_unless_fewer_are_asked_for():
    labels = shuffled([60, 40])
    assert protocol.test_images(TRIAL, labels).tolist() == list(range(100))
    assert protocol.test_images(replace(TRIAL, test_size=100), labels).tolist() == list(range(100))
    fewer = protocol.test_images(replace(TRIAL, test_size=20), labels)
    assert np.bincount(labels[fewer]).tolist() == [12, 8]


def record(seed: int, val_accuracy: float | None, val_loss: float | None = 1.0, parameters: int | None = 10) -> Record:
    result = Result("completed", parameters=parameters, val_accuracy=val_accuracy, val_loss=val_loss)
    return Record(replace(TRIAL, seed=seed), result)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param(record(1, 0.9, 2.0, 99), record(2, 0.8, 0.1, 1), id="accuracy before all"),
        pytest.param(record(1, 0.9, 0.3, 99), record(2, 0.9, 0.4, 1), id="then the lower loss"),
        pytest.param(record(1, 0.9, 0.3, 99), record(2, 0.9, None, 1), id="any loss before none"),
        pytest.param(record(1, 0.9, 0.3, 10), record(2, 0.9, 0.3, 11), id="then fewer parameters"),
        pytest.param(record(1, 0.1), record(2, None), id="any accuracy before none"),
    ],
)
def test_the_better_trial_comes_first_whichever_was_first(better, worse):
    assert protocol.ranked([better, worse]) == protocol.ranked([worse, better]) == [better, worse]


def test_trials_that_are_equal_in_all_have_one_order_all_the_same():
    orders = [protocol.ranked(order) for order in permutations([record(seed, 0.9) for seed in range(4)])]
    assert all(order == orders[0] for order in orders)


def test_only_completed_search_trials_are_ranked():
    good = record(1, 0.5)
    failed = Record(replace(TRIAL, seed=2), Result("failed", "boom", val_accuracy=0.99))
    final = Record(TRIAL.as_final(seed=3), Result("completed", val_accuracy=0.99, test_accuracy=0.99))
    assert protocol.ranked([failed, final, good]) == [good]
    assert protocol.ranked([]) == []


@pytest.mark.parametrize(
    ("counts", "size", "quota"),
    [
        ([60, 30, 10], 5, [3, 1, 1]),
        ([40, 5, 5], 6, [4, 1, 1]),
        ([1, 1, 8], 7, [1, 1, 5]),
        ([16, 10, 4], 10, [6, 3, 1]),  # equal remainders fall to the lower class
        ([2, 2, 2], 3, [1, 1, 1]),
    ],
)
def test_exactly_as_many_images_are_drawn_as_asked_for(counts: list[int], size: int, quota: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    drawn, left = protocol.stratified(labels, size, 0)
    assert len(drawn) == size
    assert len(left) == len(labels) - size
    assert np.bincount(labels[drawn], minlength=len(counts)).tolist() == quota


def test_fewer_images_than_classes_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="5 of 20 images cannot be drawn so that each of 10 classes is kept"):
        protocol.stratified(np.repeat(np.arange(10), 2), 5, 0)


def test_what_retrainings_hold_out_is_the_same_for_all_seeds_stratified_and_not_what_the_search_held_out():
    labels = shuffled([60, 40])
    finals = [TRIAL.as_final(seed, hold_out=0.2) for seed in (1, 2)]
    (fit, held), (again, held_again) = (protocol.training_images(final, data_of(labels)) for final in finals)
    assert (fit.tolist(), held.tolist()) == (again.tolist(), held_again.tolist())
    assert sorted([*fit, *held]) == list(range(100))
    assert np.bincount(labels[held]).tolist() == [12, 8]
    assert held.tolist() != protocol.training_images(replace(TRIAL, validation=0.2), data_of(labels))[1].tolist()
    published = replace(TRIAL, protocol="published").as_final(1, hold_out=0.2)
    assert len(protocol.training_images(published, data_of(labels))[1]) == 20


def test_too_few_images_for_what_retrainings_hold_out_are_refused():
    with pytest.raises(InputError, match=r"too few to hold out 0\.1 of each"):
        protocol.training_images(TRIAL.as_final(1, hold_out=0.1), data_of(shuffled([6, 4])))


# --- splits of all images ---


def numbered(validation_images: int = 0) -> Dataset:
    """Return 60 training and 30 test images of three classes, each image of a colour of its own."""
    labels = shuffled([40, 30, 20])
    images = np.arange(90, dtype=np.uint8).reshape(-1, 1, 1, 1)
    files = {"train": tuple(f"{k}.png" for k in range(60)), "test": tuple(f"{k}.png" for k in range(60, 90))}
    if validation_images:
        files = {}
    parts = images[:60], labels[:60], images[60:], labels[60:]
    return Dataset("blobs", *parts, ("a", "b", "c"), validation_images=validation_images, files=files)


def test_the_first_split_is_the_data_set_itself():
    data = numbered()
    assert protocol.resplit(data, 1) is data


@pytest.mark.parametrize("validation_images", [0, 12])
def test_another_split_has_every_image_once_with_its_label_in_parts_of_the_same_size(validation_images):
    data = numbered(validation_images)
    labels = np.concatenate((data.y_train, data.y_test))
    tested = set()
    for split in (2, 3, 4):
        other = protocol.resplit(data, split)
        assert (len(other.y_train), len(other.y_test)) == (60, 30)
        assert other.validation_images == validation_images
        train, test = other.x_train.ravel(), other.x_test.ravel()
        assert sorted([*train, *test]) == list(range(90))
        assert (other.y_train == labels[train]).all()
        assert (other.y_test == labels[test]).all()
        # 30 of 40, 30 and 20: 13.3, 10 and 6.7
        assert np.bincount(other.y_test).tolist() == [13, 10, 7]
        if validation_images:  # the last ones: of 27, 20 and 13 they are 5.4, 4 and 2.6
            assert np.bincount(other.y_train[-12:]).tolist() == [5, 4, 3]
        else:
            assert other.files["train"] == tuple(f"{k}.png" for k in train)
            assert other.files["test"] == tuple(f"{k}.png" for k in test)
        assert other.fingerprint == protocol.resplit(numbered(validation_images), split).fingerprint
        tested.add(other.fingerprint)
    assert len({data.fingerprint, *tested}) == 4


def test_a_class_of_one_image_cannot_be_divided_anew():
    # Of 21 images 11 test: 5.2 of ten, 5.2 of ten and 0.5 of one, whose remainder is the largest.
    train, test = np.repeat([0, 1, 2], [5, 4, 1]), np.repeat([0, 1], [5, 6])
    images = np.zeros((11, 1, 1, 1), np.uint8)
    data = Dataset("blobs", images[:10], train, images, test, ("a", "b", "c"))
    with pytest.raises(InputError, match="class of one image"):
        protocol.resplit(data, 2)


# --- folds ---


@given(counts=st.lists(st.integers(5, 40), min_size=2, max_size=5), folds=st.integers(2, 5), seed=st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_each_image_is_held_out_in_one_fold_and_each_class_is_in_every_fold(counts, folds, seed):
    data = data_of(shuffled(counts, seed % 100))
    trial = replace(TRIAL, folds=folds, split_seed=seed)
    held_out = []
    for part in trial.parts:
        fit, validation = protocol.training_images(part, data)
        assert sorted([*fit, *validation]) == list(range(len(data.y_train)))
        of_class = np.bincount(data.y_train[validation], minlength=len(counts))
        # scikit-learn balances classes one by one: no fold has more than one image of a class more than another
        assert all(count // folds <= there <= -(-count // folds) for there, count in zip(of_class, counts, strict=True))
        held_out += validation.tolist()
    assert sorted(held_out) == list(range(len(data.y_train)))
    fit, validation = protocol.training_images(trial, data)
    assert fit.tolist() == validation.tolist() == list(range(len(data.y_train)))
    assert protocol.validation_labels(trial, data).tolist() == data.y_train.tolist()


def test_folds_depend_on_labels_and_the_seed_of_the_split_alone():
    data = data_of(shuffled([20, 10]))
    trial = replace(TRIAL, folds=3)
    first = [protocol.training_images(part, data)[1].tolist() for part in trial.parts]
    np.random.default_rng(1).random(10)
    again = replace(trial, seed=5, values={"units": 9}, epochs=7)
    assert first == [protocol.training_images(part, data)[1].tolist() for part in again.parts]
    other = replace(trial, split_seed=1)
    assert first != [protocol.training_images(part, data)[1].tolist() for part in other.parts]


def test_of_a_smaller_train_size_the_same_images_are_divided():
    data = data_of(shuffled([60, 40]))
    trial = replace(TRIAL, folds=4, train_size=40)
    everything = protocol.training_images(trial.as_final(1), data)[0].tolist()
    parts = [protocol.training_images(part, data) for part in trial.parts]
    assert all(sorted([*fit, *held]) == everything for fit, held in parts)
    assert all(np.bincount(data.y_train[held]).tolist() == [6, 4] for _, held in parts)


def test_more_folds_than_images_of_a_class_are_refused():
    data = data_of(shuffled([20, 3]))
    with pytest.raises(InputError, match="class '1' has 3 images, too few for 4 folds; set folds to 3 or fewer"):
        protocol.training_images(replace(TRIAL, folds=4).parts[0], data)
    with pytest.raises(InputError, match="class '1' has 1 image, too few for 2 folds; hold out a share instead"):
        protocol.training_images(replace(TRIAL, folds=2), data_of(shuffled([20, 1])))
