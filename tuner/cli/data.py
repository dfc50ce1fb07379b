"""The command about data by themselves: `check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from tuner.cli.options import data_dir_option
from tuner.errors import CheckError, listed
from tuner.text import visible_line

if TYPE_CHECKING:
    from tuner.datasets.audit import Audit, Seen

_T = TypeVar("_T")
#: How an audit calls the sides of a split.
_SIDES = {"train": "training", "val": "validation", "test": "test"}


@click.command()
@click.argument("data")
@click.option("--sheet", type=click.Path(path_type=Path, dir_okay=False), help="Write a contact sheet, a PNG.")
@data_dir_option
def check(data: str, sheet: Path | None, data_dir: Path | None) -> None:
    """Audit DATA, a folder of class folders, an .npz file or a known name.

    It tells of files and classes that cannot be used, of images that stand in it twice, on two sides of the split or in
    two classes, of images that look alike, and of small classes. Exit code 1 where something should be mended.
    """
    from tuner.datasets.audit import audit
    from tuner.datasets.contact_sheet import write_contact_sheet

    found = audit(data, data_dir, Path("searches"))
    for line in lines_of(found):
        click.echo(line)
    if sheet is not None:
        write_contact_sheet(found, sheet)
        click.echo(f"wrote {visible_line(sheet)}")
    if found.wrong:
        things = "1 thing" if found.wrong == 1 else f"{found.wrong:,} things"
        raise CheckError(f"{visible_line(data)}: {things} to mend")


def lines_of(found: Audit) -> Iterator[str]:
    """Yield what is said of an audit, the counts first and what should be mended next."""
    from tuner.datasets.audit import UNEVEN
    from tuner.datasets.looks import SMALLEST
    from tuner.datasets.remarks import small_classes

    yield from _counts(found)
    yield from _list(found.bad, "file cannot be used", "files cannot be used", lambda one: f"{one[0]}: {one[1]}")
    yield from _list(found.faults, "thing for which run refuses it", "things for which run refuses it", visible_line)
    if found.of_several_sizes:
        yield "images of several sizes: run refuses them unless the search file has image_size, which tuner new writes"
    conflicts, leaks = found.conflicts, found.leaks
    yield from _list(conflicts, "image stands in two classes", "images stand in two classes", _with_class)
    yield from _list(
        leaks, "image stands on two sides of the split", "images stand on two sides of the split", _with_side
    )
    rest = [group for group in found.copies if group not in conflicts and group not in leaks]
    yield from _list(rest, "image stands there more than once", "images stand there more than once", _names)
    apart = [pair for pair in found.alike if pair[0].label != pair[1].label]
    heads = ("pair in two classes looks alike", "pairs in two classes look alike")
    yield from _list(apart, *heads, lambda pair: _with_class(pair, " ~ "))
    across = [pair for pair in found.alike_across if pair not in apart]
    heads = ("pair on two sides of the split looks alike", "pairs on two sides of the split look alike")
    yield from _list(across, *heads, lambda pair: _with_side(pair, " ~ "))
    alike = [pair for pair in found.alike if pair not in across and pair not in apart]
    other = "other " if across or apart else ""
    yield from _list(alike, f"{other}pair looks alike", f"{other}pairs look alike", lambda pair: _names(pair, " ~ "))
    counts = found.counts
    training = counts.get("train") or counts.get("") or Counter()
    yield from map(visible_line, small_classes({name: training[name] for name in found.classes}))
    most, least = max(training.values(), default=0), max(1, min(training[name] for name in found.classes))
    if most >= UNEVEN * least:
        yield (
            f"uneven: the largest class has {most / least:.1f} times as many images as the smallest; by accuracy the "
            'largest decides, so choose by another objective, such as "macro_f1"'
        )
    yield from _subjects(found)
    yield from _list(found.passed_over, "thing is passed over", "things are passed over", str)
    if not any(image.looks is not None for image in found.images):
        yield f"images of fewer than {SMALLEST} pixels a side are not compared by their looks"


def _counts(found: Audit) -> Iterator[str]:
    counts, total = found.counts, len(found.images)
    sides = [f"{sum(counts[split].values()):,} {word}" for split, word in _SIDES.items() if split in counts]
    of = f": {', '.join(sides)}" if sides else ", of which a fifth of each class becomes the test set"
    by_area = sorted({image.size for image in found.images}, key=lambda size: size[0] * size[1])
    sizes = " to ".join(f"{height}x{width}" for height, width in dict.fromkeys((by_area[0], by_area[-1])))
    yield visible_line(f"{found.source}: {total:,} images of {sizes} pixels in {len(found.classes)} classes{of}")
    if len(found.classes) <= 20:
        each = {name: sum(counts[split][name] for split in counts) for name in found.classes}
        yield "  " + visible_line(", ".join(f"{name} {count:,}" for name, count in each.items()))


def _subjects(found: Audit) -> Iterator[str]:
    subjects = found.subjects
    if not subjects:
        return
    example = next(iter(subjects))
    sides = [name for name, images in subjects.items() if len({image.split for image in images}) > 1]
    said = f"{len(sides):,} of them have images on two sides of the split" if sides else "each on one side of the split"
    if "" in found.counts:
        said = "a split that is drawn at random puts images of one on both sides"
    yield visible_line(
        f"names tell of {len(subjects):,} subjects with several images each, such as {example}: {said}; if these are "
        "pictures of one thing, scores on the test set are too good"
    )


def _list(items: Sequence[_T], one: str, several: str, line: Callable[[_T], str]) -> Iterator[str]:
    """Yield how many there are of something, and the first of them; nothing where there is none."""
    if items:
        yield f"{len(items):,} {one if len(items) == 1 else several}:"
        yield from listed([line(item) for item in items])


def _names(group: Sequence[Seen], between: str = " = ") -> str:
    return between.join(image.name for image in group)


def _with_class(group: Sequence[Seen], between: str = " = ") -> str:
    return between.join(f"{image.name} ({image.label})" for image in group)


def _with_side(group: Sequence[Seen], between: str = " = ") -> str:
    return between.join(f"{image.name} ({_SIDES.get(image.split, image.split)})" for image in group)
