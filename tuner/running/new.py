"""A search file that fits a data set, chosen by image size, colour, classes and number of images, with reasons."""

from __future__ import annotations

import math
import re
import shlex
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tuner.datasets import DATASETS, load_dataset
from tuner.datasets.audit import UNEVEN
from tuner.datasets.base import Dataset
from tuner.datasets.folder import image_files
from tuner.datasets.pictures import is_grey, size_upright
from tuner.datasets.subjects import PATTERN, subjects
from tuner.errors import InputError, ResourceError
from tuner.families import FAMILIES
from tuner.oracles import ALGORITHMS
from tuner.protocol import training_images
from tuner.recipe import RECIPE
from tuner.running.building import build_all
from tuner.running.dryrun import preview
from tuner.running.new_templates import ANN, CNN, HEAD, LENET, PRETRAINED, RESNET, TAIL
from tuner.search_file.file import load_search, parse_search
from tuner.search_file.overrides import Overrides
from tuner.search_file.schema import NAME
from tuner.search_file.toml import toml_value
from tuner.space.space import read_space
from tuner.system.files import is_a, remove_partials, write_whole
from tuner.text import visible_line
from tuner.worker.probe import Built

#: Images of folders are brought to at most so many pixels in height and width; photographs, which are larger and have
#: colours, to more: a pretrained network knows no smaller ones.
LARGEST, LARGEST_PHOTOGRAPHS = 64, 96
#: Where early stopping may end a training after fewer steps, batch normalisation is tried and not taken for granted.
MOST_UNSETTLED = 500
#: Larger grids are searched at random.
MOST_IN_GRID = 60
#: Below so many training images: batch size, epochs and patience.
BUDGETS = ((500, (16, 60, 12)), (5_000, (32, 40, 8)), (30_000, (64, 30, 5)), (math.inf, (128, 20, 4)))


class Look(NamedTuple):
    """A data set, how a search file calls it, and for a folder what size its images are brought to, and why."""

    dataset: Dataset
    source: str
    is_folder: bool = False
    resized: str = ""

    @property
    def colour(self) -> bool:
        """Whether an image has any colour, and not just three channels."""
        x = self.dataset.x_train
        return x.shape[-1] == 3 and any(bool((image != image[..., :1]).any()) for image in x)

    @property
    def photographs(self) -> bool:
        """Whether the images of a folder are in colour and large enough for pretrained networks."""
        return self.is_folder and self.colour and max(self.dataset.shape[:2]) > LARGEST and min(self.shape[:2]) >= 32

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels as the search will see them: the file asks for grey where there is no colour."""
        height, width, channels = self.dataset.shape
        return height, width, 1 if self.is_folder and not self.colour else channels


def new_search(
    name: str,
    source: str,
    data_dir: Path | None = None,
    force: bool = False,
    searches: Path = Path("searches"),
    skip_bad: bool = False,
) -> tuple[Path, Look]:
    """Write `searches/NAME.toml` for a data set; nothing is written unless the data can be searched with it.

    Raises:
        InputError: a wrong name, a file that is there already, or what is wrong with the data.
    """
    if not re.fullmatch(NAME, name) or name.endswith(".toml"):
        raise InputError("NAME", f"{name!r} is no name of a search", "letters, digits, '.', '_', '-', without .toml")
    path = searches / f"{name}.toml"
    if not force and (path.exists() or path.is_symlink()):
        raise InputError(str(path), "is there already", "write over it with --force, or take another name")
    try:
        look = look_at(source, data_dir, searches, skip_bad)
    except InputError as error:
        place = "--data" if error.place == "dataset" else error.place
        raise InputError(place, error.problem, error.remedy, error.details) from error
    text = file_text(name, look)
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise InputError("--data", f"{look.source!a} is not UTF-8, as a search file is", "rename it") from error
    search = parse_search(tomllib.loads(text), name, searches, Overrides(), "")
    training_images(search.trial(search.model_searches[0], look.source, "", {}, None), look.dataset)
    try:
        searches.mkdir(parents=True, exist_ok=True)
        remove_partials(searches)
        write_whole(path, lambda file: file.write_bytes(content))
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error.strerror})") from error
    return path, look


def summary(path: Path, look: Look, data_dir: Path | None = None) -> Iterator[str]:
    """Yield the lines of a file's dry run: configurations and sizes by model search, trainings, and how to start it."""
    search = load_search(path)
    for model_search in search.model_searches:
        configurations, classes = preview(search, model_search), len(look.dataset.class_names)
        try:
            built = build_all(search, model_search, look.shape, classes, configurations)
        except ResourceError as error:  # without a network there are no pretrained weights
            built = [Built(None, f"{error.problem}; {error.remedy}")] * len(configurations)
        sizes = sorted({one.parameters for one in built if one.parameters is not None})
        number = "1 configuration" if len(built) == 1 else f"{len(built)} configurations"
        about = f"{model_search.label}: {number} ({model_search.algorithm.name})"
        if built and not sizes:
            yield f"{about}, which cannot be built: {built[0].error}"
            continue
        span = " to ".join(f"{size:,}" for size in dict.fromkeys([*sizes[:1], *sizes[-1:]]))
        yield f"{about}, {span} parameters"
    trials, finals = (
        sum(model_search.planned() for model_search in search.model_searches),
        search.repeats * len(search.model_searches),
    )
    yield f"{trials + finals} trainings of at most {search.epochs} epochs: {trials} to search, {finals} to retrain"
    yield f"start: tuner run {search.name}" + (f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else "")


def guessed_groups(look: Look) -> list[str]:
    """Return in a line which groups names of files tell of, and the pattern that a search file reads them by."""
    names = [name for files in look.dataset.files.values() for name in files]
    found = subjects(names)
    if not found or look.dataset.groups:
        return []
    everywhere = all(re.search(PATTERN, Path(name).name) for name in names)
    pattern = f"= {toml_value(PATTERN)}" if everywhere else "to a pattern on these names"
    return [
        visible_line(
            f"{look.source}: names tell of {len(found):,} subjects with several images each, such as "
            f"{next(iter(found))}: if these are pictures of one thing, set groups {pattern} in the search file"
        )
    ]


def look_at(source: str, data_dir: Path | None, searches: Path, skip_bad: bool = False) -> Look:
    """Load a data set, the images of a folder in the size that the search file will give."""
    places = [base / source for base in (data_dir, Path(), searches) if base is not None]
    places = places[: 1 if data_dir else 0] if source in DATASETS else places
    found = next((place for place in places if is_a(Path.exists, place)), None)
    if found is None or (data_dir is not None and is_a(Path.is_file, data_dir / f"{source}.npz")):
        return Look(load_dataset(source, data_dir, searches), source)
    is_folder = is_a(Path.is_dir, found)
    image_size, resized = _image_size(found) if is_folder else (None, "")
    dataset, written = load_dataset(source, data_dir, searches, image_size, skip_bad=skip_bad), source
    if Path(source).is_absolute() or ".." in Path(source).parts:
        whole, here = found.resolve(), Path.cwd().resolve()
        inside = whole.relative_to(here).as_posix() if whole.is_relative_to(here) else ""
        shadowed = data_dir is not None and is_a(Path.exists, data_dir / inside)
        written = str(whole) if not inside or shadowed else f"./{inside}" if inside in DATASETS else inside
    return Look(dataset, written, is_folder, resized)


def _image_size(folder: Path) -> tuple[tuple[int, int] | None, str]:
    """Return the size that a folder's images are brought to, with the reason; None where all are small and alike."""
    sizes: list[tuple[int, int]] = []
    coloured = False
    for file in image_files(folder):
        with suppress(InputError):  # the loader tells of it
            sizes.append(size_upright(file))
            coloured = coloured or not is_grey(file)
    if not sizes or (len(set(sizes)) == 1 and max(sizes[0]) <= LARGEST):
        return None, ""
    middle = np.median(np.array(sizes), axis=0)
    largest = LARGEST_PHOTOGRAPHS if coloured and middle.min() >= LARGEST_PHOTOGRAPHS else LARGEST
    height, width = (max(8, 8 * int(side / 8 + 0.5)) for side in middle * min(1.0, largest / middle.max()))
    small, large = (f"{size[0]}x{size[1]}" for size in (min(sizes, key=math.prod), max(sizes, key=math.prod)))
    return (height, width), f"the files have {small}" + (f" to {large}" if large != small else "")


def file_text(name: str, look: Look) -> str:
    """Return the text of the search file called `name`."""
    colour, (height, width, _), images = look.colour, look.shape, len(look.dataset.y_train)
    values = _values(name, look)
    templates = [ANN, CNN]
    templates += [LENET] if not colour and min(height, width) >= 28 and max(height, width) <= LARGEST else []
    templates += [RESNET] if colour and min(height, width) >= 32 and not look.photographs else []
    templates += [PRETRAINED] if look.photographs else []
    parts, labels = [], []
    for template in templates:
        model_search = tomllib.loads(template.format(algorithm="", **values))["search"][0]
        family = FAMILIES[model_search["family"]]
        space = read_space(model_search["space"], model_search.get("rules", {}), [*family.parameters, *RECIPE], {})
        count = space.count()[0]
        algorithm = f'algorithm = "grid"\t# tries all {count}; also {_others("grid")}\n'
        algorithm += f"# max_trials = {max(2, count // 2)}\t# for {' and '.join(_that_need_max_trials())}"
        if count > MOST_IN_GRID:
            algorithm = f'algorithm = "random"\t# of {count}; "grid" tries all; also {_others("grid", "random")}\n'
            algorithm += f"max_trials = {20 if images >= 30_000 else 40}\t# more find better ones and take longer"
        algorithm += '\n# prune = "halving"\t# trains each a little, and the best third of them further'
        parts.append(template.format(algorithm=algorithm, **values))
        labels.append(family.label)
    called = " ".join(Path(look.source).name.split())
    title = toml_value(f"{', '.join(labels[:-1])} and {labels[-1]} on {called}")
    text = HEAD.format(title=title, **values) + "".join(parts) + TAIL.format(**values)
    rows = [line.split("\t") for line in text.split("\n")]  # a tab within a string is escaped
    return "\n".join(f"{row[0]:<31} {row[1]}" if len(row) == 2 else row[0] for row in rows)


def _others(*named: str) -> str:
    return ", ".join(f'"{name}"' for name in ALGORITHMS if name not in named)


def _that_need_max_trials() -> list[str]:
    return [name for name, algorithm in ALGORITHMS.items() if algorithm.max_trials == "needs"]


def _values(name: str, look: Look) -> dict[str, Any]:
    """Return what the templates name; the choices are here."""
    (height, width, channels), names = look.shape, look.dataset.class_names
    images, classes, area, side = len(look.dataset.y_train), len(names), height * width, min(height, width)
    counts = np.unique(look.dataset.y_train, return_counts=True)[1]
    few, many = int(counts.min()), int(counts.max())
    uneven = many >= UNEVEN * few
    batch, epochs, patience = next(budget for limit, budget in BUDGETS if images < limit)
    small, large, huge, power = area <= 256, area > LARGEST**2, area > 4 * LARGEST**2, 1 << (classes - 1).bit_length()

    size, colours = f"image_size = [{height}, {width}]\t# height, width; ", f"channels = {channels}\t# "
    folder = f"{size}{look.resized}; more is slower\n" if look.resized else f"# {size}all images have these\n"
    folder += colours + ("colour; 1 for grey\n" if channels == 3 else "grey; 3 for colour\n")
    flip = 'flip = "horizontal"\t# for colour photographs; not for digits, letters, road signs'
    signs = set(names) == set("0123456789") or all(len(name) == 1 and name.isalpha() for name in names)
    if signs or not look.colour:
        why = "the classes are called like digits or letters" if signs else "grey images may be digits or letters"
        flip = f'# flip = "horizontal"\t# left out: {why}, which it spoils'
    units = max(32 if small else 128 if area <= 1024 or images < 5_000 else 256, min(512, power))
    while units > 16 and 2 * units * area * channels > 1 << 24:
        units //= 2
    deepest = min(6, max(1, (side // 4).bit_length()))  # 4 pixels or more are left, where there are as many
    dense = max(32 if small else 64, min(256, power))
    return {
        "name": name, "source": toml_value(look.source), "known": ", ".join(DATASETS), "images": images,
        "height": height, "width": width, "channels": channels, "side": side, "inputs": area * channels,
        "classes": classes, "each": f"{few:,}" if few == many else f"{few:,} to {many:,}",
        "unbalanced": "\n# Uneven: by accuracy the largest class would decide." if uneven else "",
        "objective": ("" if uneven else "# ") + 'objective = "macro_f1"\t# ' + (
            "each class counts the same; or balanced_accuracy, recall:CLASS, accuracy" if uneven
            else "what trials are chosen by; accuracy unless given"
        ),
        "weights": ("" if uneven else "# ") + 'class_weight = "balanced"\t# ' + (
            'rare classes count more; or sampling = "balanced", loss = "focal"' if uneven
            else 'for uneven classes; also sampling = "balanced", loss = "focal"'
        ),
        "folder": folder if look.is_folder else "", "flip": flip,
        "validation": _validation(look.dataset),
        "batch": min(batch, 16) if huge else batch, "epochs": epochs, "patience": patience,
        "rates": [0.0, 0.5] if images < 5_000 else [0.0, 0.3], "units": units, "units_twice": 2 * units,
        "depths": [*range(max(1, deepest - 2), deepest + 1)], "deepest": deepest, "left": side >> (deepest - 1),
        "first": [8, 16] if small or huge else [16, 32], "norm": _batch_norm(deepest, 0.8 * images / batch * patience),
        "later": [16, 32] if small else [64, 128] if classes > 20 else [32, 64],
        "head": toml_value("average" if large else "flatten"), "dense": dense, "dense_twice": 2 * dense,
        "resizes": sorted({max(32, 8 * round(side / 12)), side}),
        "resnets": 8 if huge else [8, 14] if large else [8, 14, 20], "factor": 0.5 if huge else 1.0,
    }  # fmt: skip


def _batch_norm(deepest: int, steps: float) -> str:
    """Return whether networks normalise batches, by the steps that they train without improving until they stop.

    With Keras' momentum of 0.99 the averages that count in validation take hundreds of steps to settle.
    """
    if deepest > 3 and steps < MOST_UNSETTLED:
        return "[false, true]\t# deep networks train better with it, unless they stop before its averages have settled"
    return f"{toml_value(deepest > 3)}\t# true for deep networks, which train better with it; or [false, true] to see"


def _validation(dataset: Dataset) -> str:
    """Return the line about what winners are chosen on."""
    images, classes = len(dataset.y_train), len(dataset.class_names)
    if dataset.validation_images:
        return f"# validation\t# not here: the data set has {dataset.validation_images:,} validation images of its own"
    # Each class has to have an image on either side of the split.
    share = max(0.2, min(0.5, math.ceil(100 * classes / images) / 100))
    return f"validation = {share}\t# share of the training images that chooses the winners"
