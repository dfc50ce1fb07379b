"""What can be wrong with data, row by row, for `test_bad_input.py`."""

from __future__ import annotations

import numpy as np
from bad_input import (
    LABELS,
    PIXELS,
    Case,
    empty_folder,
    folder_of_images,
    image_bytes,
    link,
    npz,
    npz_bytes,
    npz_file,
    photos,
    search,
    search_text,
    with_value,
    written,
)

DATA = [
    search("unknown data set", "dataset", "'digitz'", "did you mean 'digits'?", dataset='dataset = "digitz"'),
    search("a path to no data", "dataset", "'there/x.npz'", dataset='dataset = "there/x.npz"'),
    search(
        "unknown data set in [compare]",
        "dataset",
        "'digitz'",
        "did you mean",
        rest='[compare]\ndatasets = ["digits", "digitz"]',
    ),
    search("a name that no file can have", "dataset", dataset='dataset = "a\\u0000b"'),
    search("a very long name", "dataset", dataset=f'dataset = "{"a" * 5000}"'),
    *[
        npz(f"no {key}", f"has no {key}", "it needs x_train", **{key: None})
        for key in ("x_train", "y_train", "x_test", "y_test")
    ],
    npz("pickled images", "cannot be read", x_train=np.array([object()] * 12)),
    npz("pickled labels", "cannot be read", y_test=np.array([{}] * 6)),
    npz("flat images", "x_train", "(12, 64)", x_train=PIXELS.reshape(12, 64)),
    npz("one image", "x_test", "(8, 8)", x_test=PIXELS[0]),
    npz("17 channels", "x_train", "1 to 16 channels", x_train=np.stack([PIXELS] * 17, axis=-1)),
    npz("channels first", "x_train", "(n, height, width, channels)", x_train=np.stack([PIXELS] * 3, axis=1)),
    npz("fewer images than labels", "x_train has 5 images", "y_train 12 labels", x_train=PIXELS[:5]),
    npz("fewer labels than images", "x_test has 6 images", "y_test 2 labels", y_test=LABELS[:2]),
    npz("images of two sizes", "(8, 8, 1)", "(7, 8, 1)", x_test=PIXELS[:6, :7]),
    npz("no images", "x_train is empty", x_train=PIXELS[:0], y_train=LABELS[:0]),
    npz("images without rows", "x_train is empty", x_train=PIXELS[:, :0]),
    npz("NaN pixel", "x_train", "NaN", x_train=with_value(np.nan)),
    npz("infinite pixel", "x_train", "infinite", x_train=with_value(np.inf)),
    npz("a pixel above 255", "x_train has pixels from 0 to 256", "0 to 255", x_train=with_value(256)),
    npz("a pixel below 0", "x_train has pixels from -1", "0 to 255", x_train=with_value(-1, np.int16)),
    npz("pixels of text", "x_train holds", "whole numbers", x_train=PIXELS.astype("U3")),
    npz("complex pixels", "x_train holds complex128", x_train=PIXELS.astype(complex)),
    npz("labels with a fraction", "y_train holds real numbers", "whole numbers", y_train=LABELS + 0.5),
    npz("a label of NaN", "y_test holds real numbers", y_test=np.array([0, 1, 2, 0, 1, np.nan])),
    npz("a label below 0", "y_train has the label -1", "not negative", y_train=LABELS - 1),
    npz("labels of three dimensions", "y_train has the shape (12, 2, 2)", y_train=np.zeros((12, 2, 2))),
    npz("rows that are not one-hot", "y_train", "one-hot", y_train=np.ones((12, 3))),
    npz("labels of true and false", "y_train holds bool", y_train=LABELS > 0),
    npz("one class", "one class only (7)", y_train=np.full(12, 7), y_test=np.full(6, 7)),
    npz("a test label that is never trained", "y_test has the label 9", y_test=np.array([0, 1, 2, 0, 1, 9])),
    npz("numbers against words", "y_train holds int64 and y_test <U21", y_test=LABELS[:6].astype(str)),
    npz("too few names of classes", "label 2", "2 class names", class_names=np.array(["a", "b"])),
    npz("two classes of one name", "two classes alike", class_names=np.array(["a", "b", "a"])),
    npz(
        "too few images for the split",
        "2 training images are too few",
        "--train-size",
        x_train=PIXELS[:2],
        y_train=LABELS[:2],
        y_test=np.array([0, 1, 0, 1, 0, 1]),
    ),
    npz("validation images without labels", "has no y_val", "y_val", x_val=PIXELS),
    npz("validation images of another size", "(8, 8, 1)", "x_val of (7, 8, 1)", x_val=PIXELS[:, :7], y_val=LABELS),
    npz("two validation sets", "x_val and x_valid", "leave one out", x_val=PIXELS, x_valid=PIXELS),
    *[
        Case(
            f"{key} to hold out beside a validation set ({command})",
            (f"wrong.toml {key}: {value}", "data.npz brings 12 validation images", "leave the key out"),
            (
                written("searches/wrong.toml", search_text(dataset='dataset = "data.npz"', top=f"{key} = {value}")),
                written("searches/data.npz", npz_bytes(x_val=PIXELS, y_val=LABELS)),
            ),
            f"{command} wrong",
        )
        for key, value, command in (("validation", 0.3, "run"), ("validation", 0.3, "space"), ("folds", 5, "run"))
    ],
    Case(
        "more folds than images of the smallest class",
        ("data.npz", "class '0' has 4 images, too few for 5 folds", "set folds to 4"),
        (
            written("searches/wrong.toml", search_text(dataset='dataset = "data.npz"', top="folds = 5")),
            written("searches/data.npz", npz_bytes()),
        ),
        "run wrong",
    ),
    npz_file("half an archive", npz_bytes()[:-200], "cannot be read as an .npz"),
    npz_file(
        "an archive with a byte changed", npz_bytes().replace(PIXELS.tobytes(), bytes(PIXELS.size)), "cannot be read"
    ),
    npz_file("a text file", b"x_train,y_train\n1,2\n", "cannot be read as an .npz"),
    npz_file("an empty file as data", b"", "cannot be read as an .npz"),
    npz_file("a pickle", b"\x80\x04K\x01.", "cannot be read as an .npz"),
    npz_file("wrong data in a dry run", b"", "cannot be read as an .npz", command="space wrong"),
    npz_file("wrong data for a new search", b"", "cannot be read as an .npz", command="new mine --data data.npz"),
    # folders
    folder_of_images("no class folders", "photos", "no class folders", given=empty_folder("photos")),
    folder_of_images(
        "images without class folders", "photos", "no class folders", given=written("photos/a.png", image_bytes())
    ),
    folder_of_images(
        "a class without images", "photos/cow", "without images", "remove it", given=photos(empty_folder("photos/cow"))
    ),
    folder_of_images(
        "a class of text files", "photos/cow", "without images", given=photos(written("photos/cow/a.txt", "x"))
    ),
    folder_of_images(
        "a class of one image",
        "photos/cow",
        "one image only",
        "needs two",
        given=photos(written("photos/cow/a.png", image_bytes())),
    ),
    folder_of_images("one class folder", "photos", "one class only", given=photos(classes=("ant",))),
    folder_of_images(
        "a text file called .png",
        "photos/ant/x.png",
        "cannot be read as an image",
        given=photos(written("photos/ant/x.png", "x")),
    ),
    folder_of_images(
        "an empty file called .png",
        "photos/ant/x.png",
        "cannot be read as an image",
        given=photos(written("photos/ant/x.png", "")),
    ),
    folder_of_images(
        "half an image",
        "photos/ant/x.png",
        "broken",
        given=photos(written("photos/ant/x.png", image_bytes((80, 80))[:-40])),
    ),
    folder_of_images(
        "an image of real numbers",
        "photos/ant/x.png",
        "real numbers",
        given=photos(written("photos/ant/x.png", image_bytes(mode="F", kind="tiff"))),
    ),
    folder_of_images("a folder called .png", "photos/ant/x.png", given=photos(empty_folder("photos/ant/x.png"))),
    *[
        folder_of_images(
            f"{' and '.join(splits)} alone",
            "photos",
            f"has {' and '.join(splits)}, but no {missing} folder",
            remedy,
            given=photos(
                *(written(f"photos/{split}/{name}/0.png", image_bytes()) for split in splits for name in "ab"),
                classes=(),
            ),
        )
        for splits, missing, remedy in (
            (("train", "val"), "test", "rename val to test"),
            (("train",), "test", "photos/train itself"),
            (("test", "val"), "train", "into train/CLASS"),
        )
    ],
    folder_of_images(
        "image files of two sizes",
        "photos",
        "8x8 and 9x9",
        "image_size",
        given=photos(written("photos/bee/x.png", image_bytes((9, 9)))),
    ),
    folder_of_images(
        "a link out of the folder",
        "photos/ant/x.png",
        "leads out",
        given=photos(written("x.png", image_bytes()), link("photos/ant/x.png", "../../x.png")),
    ),
    folder_of_images(
        "an image that is a link to nowhere",
        "photos/ant/x.png",
        "or nowhere",
        given=photos(link("photos/ant/x.png", "nowhere.png")),
    ),
    folder_of_images(
        "a test class that is not trained",
        "photos/test/cow",
        "train",
        given=photos(
            *(
                written(f"photos/{part}/{name}/{n}.png", image_bytes())
                for part, names in (("train", "ab"), ("test", ("a", "cow")))
                for name in names
                for n in range(2)
            )
        ),
    ),
    folder_of_images(
        "fewer images of a class than the split needs", "photos", "too few", "--train-size", given=photos(each=2)
    ),
]
