"""What can be wrong in a search file, row by row, for `test_bad_input.py`."""

from __future__ import annotations

from dataclasses import replace

from bad_input import Case, empty_folder, image_bytes, link, own_network, rule, search, search_text, searched, written


def called(name: str, code: str, *says: str) -> Case:
    """Return a search with callbacks of the user's own that are no use."""
    text = search_text(training='epochs = 1\ncallbacks = "calls:make"')
    given = (written("searches/wrong.toml", text), written("searches/calls.py", code))
    return Case(name, ("callbacks", *says), given)


FILES = [
    searched("not TOML", "title = ", "is not valid TOML"),
    searched("not UTF-8", 'title = "Größe"'.encode("latin-1"), "is not valid TOML", "utf-8"),
    searched("an empty file", "", "title", "is missing"),
    searched("a picture", image_bytes(), "is not valid TOML"),
    search("a key twice", "is not valid TOML", "line", top="seed = 1\nseed = 2"),
    Case(
        "a folder in place of the file",
        ("searches/wrong.toml", "is not a file"),
        (empty_folder("searches/wrong.toml"),),
    ),
    Case(
        "a link to nowhere",
        ("wrong", "searches/wrong.toml is no search"),
        (link("searches/wrong.toml", "nowhere.toml"),),
    ),
    Case(
        "a file name that no report could have",
        ("searches/my search.toml", "letters, digits"),
        (written("searches/my search.toml", search_text()),),
        "run 'my search'",
    ),
    Case(
        "a name of an ending alone",
        ("searches/.toml",),
        (written("searches/.toml", search_text()),),
        "run ./searches/.toml",
    ),
    # keys
    search("misspelt top-level key", "titel", "did you mean 'title'?", title='titel = "x"'),
    search("misspelt key of [[search]]", "[[search]] 1.famly", "did you mean 'family'?", search='famly = "cnn"'),
    search("misspelt setting", "training.epoch", "did you mean 'epochs'?", training="epoch = 1"),
    search("misspelt parameter", "[[search]] 1 space.dropuot", "did you mean 'dropout'?", space="dropuot = 0.5"),
    search("misspelt rule", "rules.filters_never_decreases", "did you mean", rules="filters_never_decreases = true"),
    search(
        "misspelt key of a range", "space.dropout", "'mx'", "max", space="dropout = {min = 0.1, mx = 0.2, step = 0.1}"
    ),
    search(
        "misspelt key of [compare]", "compare.datasts", "did you mean 'datasets'?", rest='[compare]\ndatasts = ["x"]'
    ),
    search("misspelt key of [report]", "report.pivot", "did you mean 'pivots'?", rest="[report]\npivot = []"),
    search(
        "misspelt key of [published]", "published.score", "did you mean", rest='[published]\nstudy = "A"\nscore = []'
    ),
    search("a table that nobody knows", "training2", "did you mean 'training'?", rest="[training2]\nepochs = 2"),
    search(
        "a parameter of another family",
        "space.conv_depth",
        "no such parameter",
        search='family = "ann"',
        space="conv_depth = 2",
    ),
    search(
        "a layer deeper than there is",
        "space.filters_5",
        "conv_depth is at most 2",
        space="conv_depth = 2\nfilters_5 = 8",
    ),
    # what is missing
    search("no title", "title", "is missing", title=""),
    search("no data set", "dataset", "is missing", dataset=""),
    searched("no [training]", 'title = "x"\ndataset = "digits"\n[[search]]\nfamily = "ann"', "training", "is missing"),
    searched("no [[search]]", 'title = "x"\ndataset = "digits"\n[training]\nepochs = 1', "search", "is missing"),
    search("no epochs", "training.epochs", "is missing", "how many epochs", training=""),
    search("no family", "[[search]] 1.family", "is missing", search=""),
    search(
        "random without max_trials",
        "max_trials",
        "is missing",
        "'random'",
        search='family = "cnn"\nalgorithm = "random"',
    ),
    search("bayesian without max_trials", "max_trials", "'bayesian'", search='family = "cnn"\nalgorithm = "bayesian"'),
    search("[compare] without data sets", "compare.datasets", "is missing", rest="[compare]"),
    search("no split", "compare.splits", "1", rest="[compare]\nsplits = 0"),
    search("splits in words", "compare.splits", "whole number", rest='[compare]\nsplits = "three"'),
    search(
        "splits where nothing is judged",
        "compare.splits",
        "no model is judged",
        top='protocol = "published"',
        rest="[compare]\nsplits = 3",
    ),
    search("a range without max", "space.dropout", "needs min and max", space="dropout = {min = 0.1, step = 0.1}"),
    # types
    search("title is a number", "title", "3 is not a string", title="title = 3"),
    search("data set is a number", "dataset", "3 is not a string", dataset="dataset = 3"),
    search("a list of data sets with a number", "dataset", "3 is not a string", dataset='dataset = ["digits", 3]'),
    search("data set is true", "dataset", "True is not a string", dataset="dataset = true"),
    search("seed is a string", "seed", "'zero'", "is not a whole number", top='seed = "zero"'),
    search("seed is a boolean", "seed", "True", "is not a whole number", top="seed = true"),
    search("seed is a fraction", "seed", "1.5", "is not a whole number", top="seed = 1.5"),
    search("seed is a date", "seed", "is not a whole number", top="seed = 2026-01-01"),
    searched(
        "[training] is a number",
        'title = "x"\ndataset = "digits"\ntraining = 3\n[[search]]\nfamily = "ann"',
        "training",
        "3",
    ),
    searched(
        "[search] in place of [[search]]",
        'title = "x"\ndataset = "digits"\n[training]\nepochs = 1\n[search]\nfamily = "ann"',
        "search",
        "[[search]]",
    ),
    search("space is a number", "[[search]] 2.space", "3 is not a table", rest='[[search]]\nfamily = "ann"\nspace = 3'),
    search(
        "rules is a string", "[[search]] 2.rules", "is not a table", rest='[[search]]\nfamily = "ann"\nrules = "a < 3"'
    ),
    search("compare is a list", "compare", "is not a table", top='compare = ["digits"]'),
    search("epochs is a string", "training.epochs", "'ten'", "whole number", training='epochs = "ten"'),
    search("epochs is true", "training.epochs", "True", "whole number", training="epochs = true"),
    search("epochs is a fraction", "training.epochs", "1.5", "whole number", training="epochs = 1.5"),
    search("a number is a string", "space.dropout", "'half'", "a number", space='dropout = "half"'),
    search("a whole number is a fraction", "space.conv_depth", "1.5", "whole number", space="conv_depth = 1.5"),
    search("a whole number is true", "space.conv_depth", "True", "whole number", space="conv_depth = true"),
    search("true or false is a number", "space.batch_norm", "1", "true or false", space="batch_norm = 1"),
    search("a list in a list", "space.dropout", "[0.5]", "a number", space="dropout = [[0.5]]"),
    search(
        "a list in [training]", "training.learning_rate", "[search.space]", training="epochs = 1\nlearning_rate = [0.1]"
    ),
    search(
        "a range in [training]",
        "training.learning_rate",
        "[search.space]",
        training="epochs = 1\nlearning_rate = {min = 0.1, max = 0.2}",
    ),
    search(
        "a class weight of 0",
        "training.class_weight: 0 of '3' is not a number above 0",
        training="epochs = 1\nclass_weight = {3 = 0}",
    ),
    search(
        "a class weight without end",
        "[[search]] 1 space.class_weight: inf of '3' is not a number above 0",
        space='class_weight = ["none", {3 = inf}]',
    ),
    search(
        "a class weight in words",
        "training.class_weight: 'much' of '3' is not a number above 0",
        training="epochs = 1\nclass_weight = {3 = 'much'}",
    ),
    search(
        "no class weights in their table",
        'training.class_weight: the table is empty: name a class with its weight, or write "none"',
        training="epochs = 1\n[training.class_weight]",
    ),
    search(
        "a list of class weights",
        "training.class_weight: [1, 2] is not a string or a table of weights by class; search a setting in",
        training="epochs = 1\nclass_weight = [1, 2]",
    ),
    search(
        "a weight of a class that there is not",
        "searches/wrong.toml training.class_weight: '12' is no class of digits; did you mean '2'?",
        training="epochs = 1\nclass_weight = {3 = 2, 12 = 5}",
    ),
    search(
        "a weight that is searched of a class that there is not",
        "searches/wrong.toml [[search]] 1 space.class_weight: 'eight' is no class of digits; known: 0, 1, 2",
        space='class_weight = ["balanced", {8 = 2}, {eight = 2}]',
    ),
    search(
        "a named rule is a number",
        "rules.filters_never_decrease",
        "1",
        "true or false",
        rules="filters_never_decrease = 1",
    ),
    search("what is watched is no list", "watch", "'first'", "list", top='watch = "first"'),
    # what is empty, or twice
    search("empty title", "title", "is empty", title='title = ""'),
    search("no data set in the list", "dataset", "has 0 of at least 1 items", dataset="dataset = []"),
    search("data set without a name", "dataset", "''", dataset='dataset = ""'),
    search("empty list of values", "space.filters", "empty", space="filters = []"),
    search("empty list in [compare]", "compare.datasets", "of at least 1 items", rest="[compare]\ndatasets = []"),
    searched(
        "no search in the list",
        'title = "x"\ndataset = "digits"\nsearch = []\n[training]\nepochs = 1',
        "search",
        "of at least 1 items",
    ),
    search("a data set twice", "dataset", "twice", dataset='dataset = ["digits", "digits"]'),
    search(
        "a data set twice in [compare]", "compare.datasets", "twice", rest='[compare]\ndatasets = ["digits", "digits"]'
    ),
    search("a value twice", "space.filters", "twice", space="filters = [8, 8]"),
    search("a value twice, once as a whole number", "space.dropout", "twice", space="dropout = [0, 0.0]"),
    search("two searches with one name", "[[search]] 2", "'cnn'", "name", rest='[[search]]\nfamily = "cnn"'),
    search("retrainings that watch nothing", "watch_retrainings", "no layers to watch", top="watch_retrainings = true"),
    *(
        search(
            f"a claim {what}",
            "published",
            *parts,
            rest=f'[published]\nstudy = "S"\n[[published.claims]]\nsays = "It is so."\n{claim}',
        )
        for what, claim, *parts in (
            ("that says how twice", 'order = ["cnn", "cnn"]\nbest = "cnn"', "exactly one of", "order and best"),
            ("that does not say how", 'by = "loss"', "exactly one of", "none"),
            ("about a model that is not there", 'best = "cmm"', "claims 1", "'cmm'", "known: cnn"),
            ("about a parameter that is not there", 'order = [1, 2]\nparameter = "depht"', "claims 1", "'depht'"),
            ("about another data set", 'at_chance = true\ndataset = "mnist"', "claims 1", "'mnist'"),
            ("about epochs to nothing", 'best = "cnn"\nby = "epochs"', "needs reach"),
            ("about losses alike", 'alike = ["cnn", "cnn"]\nby = "loss"', "how far apart matters by loss"),
            ("about values by their loss", 'order = [1, 2]\nparameter = "filters"\nby = "loss"', "by loss"),
            ("about fixed values alone", 'best = "cnn"\nwhere = { dropout = 0.5 }', "where, which goes with parameter"),
            (
                "about the values that it fixes",
                'order = [1, 2]\nparameter = "filters"\nwhere = { filters = 1 }',
                "filters, which where fixes",
            ),
            (
                "about fixed values of no parameter",
                'order = [32, 64]\nparameter = "dense_units"\nwhere = { drop = 1 }',
                "'drop'",
            ),
            ("about one model's trials alone", 'best = "cnn"\nmodel = "cnn"', "goes with parameter"),
        )
    ),
    search("a layer watched twice", "watch", "twice", top='watch = ["first", "first"]'),
    # numbers
    search("epochs 0", "training.epochs", "0", "from 1 to", training="epochs = 0"),
    search("epochs below 0", "training.epochs", "-1", "from 1 to", training="epochs = -1"),
    search("epochs without end", "training.epochs", "from 1 to 1,000,000", training="epochs = 1000000000000000000000"),
    search(
        "epochs of an entry without end",
        "[[search]] 1.epochs",
        "is not 1000000 or less",
        search='family = "cnn"\nepochs = 1000000000000000000000',
    ),
    search("threads 0", "training.threads", "0", "from 1 to", training="epochs = 1\nthreads = 0"),
    search(
        "a million threads", "training.threads", "1000000", "from 1 to 1,024", training="epochs = 1\nthreads = 1000000"
    ),
    search("seed below 0", "seed", "-1", "is not 0 or more", top="seed = -1"),
    search("seed too large", "seed", "4294967296", "is not below", top="seed = 4294967296"),
    search("repeats 0", "repeats", "0", "is not 1 or more", top="repeats = 0"),
    search("a thousand repeats", "repeats", "1000", "is not 100 or less", top="repeats = 1000"),
    search("lag 0", "[[search]] 1.lag", "0", "is not 1 or more", search='family = "cnn"\nlag = 0'),
    search("max_trials 0", "max_trials", "0", search='family = "cnn"\nalgorithm = "random"\nmax_trials = 0'),
    search(
        "try_first with a misspelt parameter",
        "try_first 1 dropuot",
        search='family = "ann"\ntry_first = [{ dropuot = 0.5 }]',
    ),
    search(
        "try_first with more than max_trials",
        "try_first",
        "has 2 configurations and max_trials is 1",
        search='family = "ann"\nalgorithm = "random"\nmax_trials = 1\ntry_first = [{ dense_units = 4 }, '
        "{ dense_units = 8 }]",
        space="dense_units = [4, 8, 16]",
    ),
    search("try_first without a list", "try_first", "not a list", search='family = "ann"\ntry_first = "dropout = 0.5"'),
    search("pruned by another word", "prune", "'halfing'", "'halving'", search='family = "ann"\nprune = "halfing"'),
    search("prune is true", "prune", "True", search='family = "ann"\nprune = true'),
    search("prune_first alone", "prune_first", "add prune", search='family = "ann"\nprune_first = 1'),
    search("prune_factor 1", "prune_factor", "1", search='family = "ann"\nprune = "halving"\nprune_factor = 1'),
    search(
        "pruned first at the end",
        "prune_first",
        "is the end of a training",
        search='family = "ann"\nprune = "halving"\nprune_first = 1000',
    ),
    search(
        "Hyperband pruned",
        "prune",
        "by itself",
        search='family = "ann"\nalgorithm = "hyperband"\nprune = "halving"',
    ),
    search("max_trials of a grid", "max_trials", "grid", "remove it", search='family = "cnn"\nmax_trials = 5'),
    search("learning rate 0", "space.learning_rate", "0.0", "outside", space="learning_rate = 0.0"),
    search("learning rate NaN", "training.learning_rate", "nan", "finite", training="epochs = 1\nlearning_rate = nan"),
    search("learning rate infinite", "space.learning_rate", "inf", "finite", space="learning_rate = [0.1, inf]"),
    search("dropout of everything", "space.dropout", "1.0", "outside 0 to 0.95", space="dropout = 1.0"),
    search("a number of twenty digits", "space.filters", "too large", space="filters = 12345678901234567890"),
    search("a layer of a million million units", "space.dense_units", "outside", space="dense_units = 1000000000000"),
    search("batch size 0", "training.batch_size", "0", "outside", training="epochs = 1\nbatch_size = 0"),
    search(
        "min above max",
        "space.dropout",
        "min 0.5 is not below max 0.1",
        space="dropout = {min = 0.5, max = 0.1, step = 0.1}",
    ),
    search(
        "min is max",
        "space.dropout",
        "min 0.5 is not below max 0.5",
        space="dropout = {min = 0.5, max = 0.5, step = 0.1}",
    ),
    search("min NaN", "space.dropout", "nan", "finite", space="dropout = {min = nan, max = 0.5, step = 0.1}"),
    search("step 0", "space.filters", "step 0", "above 0", space="filters = {min = 8, max = 16, step = 0}"),
    search("step below 0", "space.filters", "step -8", "above 0", space="filters = {min = 8, max = 16, step = -8}"),
    search("step NaN", "space.dropout", "step nan", "above 0", space="dropout = {min = 0.1, max = 0.5, step = nan}"),
    search(
        "step is a fraction", "space.filters", "step 1.5", "whole", space="filters = {min = 8, max = 16, step = 1.5}"
    ),
    search(
        "factor 1", "space.l2", "step 1", "above 1", space='l2 = {min = 1e-5, max = 1e-2, step = 1, sampling = "log"}'
    ),
    search(
        "log from 0",
        "space.l2",
        "'log'",
        "min above 0",
        space='l2 = {min = 0.0, max = 1e-2, step = 10, sampling = "log"}',
    ),
    search(
        "unknown sampling",
        "space.l2",
        "'lin'",
        "linear, log",
        space='l2 = {min = 0.0, max = 1e-2, step = 10, sampling = "lin"}',
    ),
    search("a range of words", "space.activation", "a range needs numbers", space="activation = {min = 1, max = 2}"),
    search(
        "a grid over a range without steps",
        "[[search]] 1 dropout",
        "step",
        "random",
        space="dropout = {min = 0.0, max = 0.5}",
    ),
    search(
        "a range of a thousand million steps",
        "[[search]] 1 space.dropout",
        "a larger step, or none",
        "too many",
        space="dropout = {min = 0.0, max = 0.5, step = 5e-10}",
    ),
    search("no cores", "cpus_per_trial", "0 is not above 0", top="cpus_per_trial = 0"),
    search("endless cores", "cpus_per_trial", "inf", top="cpus_per_trial = inf"),
    search("two GPUs", "gpus_per_trial", "2 is not from 0 to 1", "on one GPU", top="gpus_per_trial = 2"),
    search("a GPU and a half", "gpus_per_trial", "1.5 is not from 0 to 1", top="gpus_per_trial = 1.5"),
    search("fewer than no GPUs", "gpus_per_trial", "-1 is not from 0 to 1", top="gpus_per_trial = -1"),
    search("GPUs that are no number", "gpus_per_trial", "nan is not from 0 to 1", top="gpus_per_trial = nan"),
    search("a million cores", "cpus_per_trial", "1000000 is not 1024 or less", top="cpus_per_trial = 1000000"),
    search(
        "more cores than there are", "cpus_per_trial", "a trial cannot take 1024 cores", top="cpus_per_trial = 1024"
    ),
    search("a trial of a million years", "max_trial_minutes", "or less", top="max_trial_minutes = 1e300"),
    search("a trial of more memory than there is", "max_trial_gb", "or less", top="max_trial_gb = 1e300"),
    search("a lag without end", "[[search]] 1.lag", "1000000 or less", search='family = "cnn"\nlag = 10000000000000'),
    search(
        "trials without end",
        "[[search]] 1.max_trials",
        "1000000 or less",
        search='family = "cnn"\nalgorithm = "random"\nmax_trials = 10000000000000',
    ),
    search("repeats without end", "repeats", "100 or less", top="repeats = 10000000000000"),
    search("max_trials at the top", "max_trials", "it belongs in [[search]]", top="max_trials = 5"),
    search("an image size of one number", "image_size", "64 is not a list", "= [64, 64]", top="image_size = 64"),
    search(
        "printed trials in [[search]]",
        "[[search]] 1.trials",
        "[published]",
        "did you mean 'max_trials'?",
        search='family = "cnn"\ntrials = 12',
    ),
    search("no validation images", "validation", "0 is not above 0", top="validation = 0"),
    search("only validation images", "validation", "1 is not below 1", top="validation = 1"),
    search("more than all for validation", "validation", "1.5 is not below 1", top="validation = 1.5"),
    search("validation NaN", "validation", "nan", top="validation = nan"),
    search("a pattern without parentheses", "groups", "no part in parentheses", top="groups = 'patient_'"),
    search("a pattern that is none", "groups", "is no regular expression", top="groups = 'patient_('"),
    search("groups of a data set without files", "wrong.toml groups: 'p(.)'", "digits has none", top="groups = 'p(.)'"),
    search(
        "groups where nothing is divided",
        "groups",
        "no images are divided",
        top="groups = 'p(.)'\nprotocol = 'published'",
    ),
    search("one fold", "folds", "1 is not 2 or more", top="folds = 1"),
    search("folds in words", "folds", "'five' is not a whole number", top='folds = "five"'),
    search("more folds than anybody waits for", "folds", "101 is not 100 or less", top="folds = 101"),
    search("folds beside a share", "folds", "beside validation", "remove one", top="folds = 5\nvalidation = 0.2"),
    search("folds of the test set", "folds", "chosen on the test set", top='folds = 5\nprotocol = "published"'),
    search("one side of an image", "image_size", "[8]", "of at least 2 items", top="image_size = [8]"),
    search("three sides of an image", "image_size", "of at most 2 items", top="image_size = [8, 8, 3]"),
    search("an image without height", "image_size 1", "0 is not 1 or more", top="image_size = [0, 8]"),
    search(
        "an image of ten thousand million pixels",
        "image_size 1",
        "100000 is not 4096 or less",
        top="image_size = [100000, 100000]",
    ),
    search("two channels", "channels", "2", "1 for grey or 3 for colour", top="channels = 2"),
    search(
        "colours of grey images", "saturation", "digits have 1 channel", "set channels = 3", space="saturation = 0.2"
    ),
    search("grey of grey images", " grey", "digits have 1 channel", training="epochs = 1\ngrey = 0.5"),
    search("mixup above 1", "space.mixup", "1.5 is outside 0 to 1", space="mixup = [0.0, 1.5]"),
    # words
    search(
        "unknown algorithm", "[[search]] 1.algorithm", "'gird'", "'grid'", search='family = "cnn"\nalgorithm = "gird"'
    ),
    search("unknown protocol", "protocol", "'holdut'", "'holdout'", top='protocol = "holdut"'),
    search("unknown optimizer", "training.optimizer", "'adamm'", "adam", training='epochs = 1\noptimizer = "adamm"'),
    search("unknown activation", "space.activation", "'rely'", "relu", space='activation = ["relu", "rely"]'),
    search(
        "unknown precision", "training.precision", "'float8'", "float32", training='epochs = 1\nprecision = "float8"'
    ),
    search("unknown family", "[[search]] 1 family", "'cn'", "did you mean 'cnn'?", search='family = "cn"'),
    search("a path without a name", "[[search]] 1 family", "'net:'", "package.module:name", search='family = "net:"'),
    search(
        "a path without a module", "[[search]] 1 family", "':build'", "package.module:name", search='family = ":build"'
    ),
    search("a path that is no path", "[[search]] 1 family", "'../net:build'", search='family = "../net:build"'),
    search(
        "a module that is not there", "family", "no module 'net'", "put it in searches", search='family = "net:build"'
    ),
    search(
        "a name with a slash",
        "[[search]] 1.name",
        "'a/b' is no name",
        "letters, digits",
        search='family = "cnn"\nname = "a/b"',
    ),
    search("a name that leads out", "[[search]] 1.name", "'..'", search='family = "cnn"\nname = ".."'),
    search("a name of fifty letters", "[[search]] 1.name", search=f'family = "cnn"\nname = "{"a" * 50}"'),
    search(
        "a depth that no residual network has",
        "space.depth",
        "21 is not 6n + 2",
        "20 or 26",
        search='family = "resnet_cifar"',
        space="depth = 21",
    ),
    # settings that need others
    search(
        "momentum beside Adam",
        "training.momentum",
        "never used",
        "'sgd'",
        training='epochs = 1\noptimizer = "adam"\nmomentum = 0.9',
    ),
    search(
        "patience without early stopping",
        "training.patience",
        "never used",
        "early_stopping",
        training="epochs = 1\npatience = 2",
    ),
    search(
        "a factor without steps",
        "training.schedule_factor",
        "schedule = 'steps'",
        training="epochs = 1\nschedule_factor = 0.5",
    ),
    search(
        "steps behind the last epoch",
        "[[search]] 1 schedule_steps",
        "'2 3'",
        "3 epochs",
        "shares",
        training='epochs = 3\nschedule = "steps"\nschedule_steps = "2 3"',
    ),
    search(
        "steps that fall",
        "training.schedule_steps",
        "'9 5'",
        "rising",
        training='epochs = 10\nschedule = "steps"\nschedule_steps = "9 5"',
    ),
    search(
        "nothing but warm-up",
        "[[search]] 1 warmup_epochs",
        "2",
        "below the 2 epochs",
        training="epochs = 2\nwarmup_epochs = 2",
    ),
    search(
        "a first stage that no fine-tuning follows",
        "[[search]] 1 space.head_epochs",
        "is never used: it needs fine_tune above 0",
        search='family = "pretrained"\nalgorithm = "grid"',
        space="head_epochs = 3",
    ),
    search(
        "the rate of a first stage that is none",
        "[[search]] 1 space.head_learning_rate",
        "is never used: it needs head_epochs above 0",
        search='family = "pretrained"\nalgorithm = "grid"',
        space="fine_tune = 0.1\nhead_learning_rate = 0.01",
    ),
    search(
        "a first stage of all epochs",
        "[[search]] 1 space.head_epochs",
        "5 of 5 epochs leave none for fine-tuning",
        search='family = "pretrained"\nalgorithm = "grid"',
        training="epochs = 5",
        space="fine_tune = [0.0, 0.1]\nhead_epochs = [0, 5]",
    ),
    # reports and studies
    search("a pivot of one parameter", "report.pivots 1", "of at least 2 items", rest='[report]\npivots = [["l2"]]'),
    search(
        "a pivot of an unknown parameter",
        "report.pivots",
        "'l3'",
        "known: ",
        rest='[report]\npivots = [["model", "l3"]]',
    ),
    search(
        "a pivot of one parameter twice",
        "report.pivots",
        "'l2' stands there twice",
        rest='[report]\npivots = [["l2", "l2"]]',
    ),
    search(
        "curves of an unknown parameter",
        "report.curves",
        "'lerning_rate'",
        "'learning_rate'",
        rest='[report]\ncurves = "lerning_rate"',
    ),
    search(
        "a size that no network has",
        "rules",
        "leave no configuration",
        "parameters < 10",
        rules='where = ["parameters < 10"]',
    ),
    search("a misspelt size", "rules.where", "did you mean 'parameters'?", rules='where = ["parmeters < 10"]'),
    search(
        "a first configuration that is too large",
        "try_first",
        "breaks the rule",
        "parameters < 2000",
        search='family = "ann"\ntry_first = [{ dense_units = 64 }]',
        space="dense_units = [4, 64]",
        rules='where = ["parameters < 2000"]',
    ),
    search(
        "callbacks that are no path",
        "training.callbacks",
        "'stop'",
        "module:make",
        training='epochs = 1\ncallbacks = "stop"',
    ),
    search(
        "callbacks of no module", "callbacks", "no module 'nowhere'", training='epochs = 1\ncallbacks = "nowhere:make"'
    ),
    called("callbacks that are none", "def make():\n    return [1]\n", "returned 1 among its callbacks"),
    called("callbacks in no list", "def make():\n    return None\n", "returned NoneType, not a list"),
    called("callbacks that cannot be made", "def make(trial):\n    return [trial.nothing]\n", "raised AttributeError"),
    called("callbacks of another name", "def mak():\n    return []\n", "did you mean 'mak'?"),
    called("callbacks that cannot be imported", "import nothing_at_all\n", "cannot be imported", "nothing_at_all"),
    search("a choice that is none", "choose", "'smallest'", "'best'", top='choose = "smallest"'),
    search(
        "the standard error of what only a network knows",
        "choose",
        "standard error of val_top",
        "another objective",
        top='choose = "smallest within one standard error"\nobjective = "val_top"\ndirection = "max"',
        search='family = "net:build"',
    ),
    search(
        "a size without a unit", "report.also_smaller_than", "'1'", '"1 MB"', rest='[report]\nalso_smaller_than = "1"'
    ),
    search(
        "a size with a comma for its point",
        "report.also_smaller_than",
        "'1,5 MB' is no size",
        rest='[report]\nalso_smaller_than = "1,5 MB"',
    ),
    search(
        "one of several that is no size",
        "report.also_smaller_than",
        "names '1 GB', which is no size",
        rest='[report]\nalso_smaller_than = ["1 MB", "1 GB"]',
    ),
    search(
        "one size in two units",
        "report.also_smaller_than",
        "'1 MB' twice, the second time as '1000 kB'",
        rest='[report]\nalso_smaller_than = ["1 MB", "1000 kB"]',
    ),
    search("a size of nothing", "report.also_smaller_than", "0 MB", rest='[report]\nalso_smaller_than = ["0 MB"]'),
    search("a number as a size", "report.also_smaller_than", "is no size", rest="[report]\nalso_smaller_than = 5"),
    search(
        "a size twice",
        "report.also_smaller_than",
        "'1 MB' twice",
        rest='[report]\nalso_smaller_than = ["1 MB", "1.0 MB"]',
    ),
    search(
        "a search called as a smaller row of another",
        "report.also_smaller_than",
        "'cnn-under-1MB'",
        "another one",
        rest='[[search]]\nfamily = "ann"\nname = "cnn-under-1MB"\n[report]\nalso_smaller_than = "1 MB"',
    ),
    search("an ensemble of one", "report.ensemble", "1 is the best model alone", rest="[report]\nensemble = 1"),
    search("an ensemble of less than none", "report.ensemble", "-3", rest="[report]\nensemble = -3"),
    search("an ensemble of more than anybody needs", "report.ensemble", "51", rest="[report]\nensemble = 51"),
    search("an ensemble in words", "report.ensemble", "'five'", rest='[report]\nensemble = "five"'),
    search(
        "an ensemble that would be chosen on the test images",
        "report.ensemble",
        "on the test images, which then score it",
        "'holdout'",
        top='protocol = "published"',
        rest="[report]\nensemble = 3",
    ),
    search(
        "an ensemble by a score that only a network knows",
        "report.ensemble",
        "only a network's own training computes val_top",
        "another objective",
        top='objective = "val_top"\ndirection = "max"',
        search='family = "net:build"',
        rest="[report]\nensemble = 3",
    ),
    search(
        "a search called as the ensemble is",
        "report.ensemble",
        "'ensemble-of-3'",
        "another one",
        rest='[[search]]\nfamily = "ann"\nname = "ensemble-of-3"\n[report]\nensemble = 3',
    ),
    search("an accuracy in percent to reach", "report.reach 1", "90.0 is not below 1", rest="[report]\nreach = [90.0]"),
    search("a study without a name", "published.study", "is missing", rest="[published]"),
    search(
        "a printed score of an unknown model",
        "published.scores 1",
        "'cnm'",
        "'cnn'",
        rest='[published]\nstudy = "A"\nscores = [{model = "cnm", dataset = "digits", test_accuracy = 0.9}]',
    ),
    search(
        "a printed score on an unknown data set",
        "published.scores 1",
        "'digit'",
        "'digits'",
        rest='[published]\nstudy = "A"\nscores = [{model = "cnn", dataset = "digit", test_accuracy = 0.9}]',
    ),
    search(
        "a printed accuracy in percent",
        "published.scores 1.test_accuracy",
        "90.5",
        "is not 1 or less",
        rest='[published]\nstudy = "A"\nscores = [{model = "cnn", dataset = "digits", test_accuracy = 90.5}]',
    ),
    search(
        "a printed accuracy of nan",
        "published.scores 1.test_accuracy",
        "nan",
        rest='[published]\nstudy = "A"\nscores = [{model = "cnn", dataset = "digits", test_accuracy = nan}]',
    ),
    search(
        "a printed trial of an unknown parameter",
        "published.trials 1",
        "'droput'",
        "'dropout'",
        rest='[published]\nstudy = "A"\ntrials = [{model = "cnn", values = {droput = 0.1}, accuracy = 0.9}]',
    ),
    search(
        "a printed group of an unknown parameter",
        "published.groups 1",
        "'conv_dept'",
        "'conv_depth'",
        rest='[published]\nstudy = "A"\ngroups = [{parameter = "conv_dept", value = 1, mean = 0.9, sd = 0.1}]',
    ),
]

RULES = [
    rule("dense_units >", "is not an expression"),
    rule("conv_depth = 2", "is not an expression"),
    rule("", "is not an expression"),
    rule("conv_depth > 1; dropout > 0", "is not an expression"),
    rule("import os", "is not an expression"),
    rule("(conv_depth > 1", "is not an expression"),
    rule("conv_depth > 'one", "is not an expression"),
    rule("__import__('os').getcwd() == 1", "__import__", "rule language"),
    rule("open('x') == 1", "no function is named 'open'"),
    rule("lst(filters) > 1", "no function is named 'lst'", "did you mean 'last'?"),
    rule("dense_unit > 1", "no parameter is named 'dense_unit'", "did you mean 'dense_units'?"),
    rule("filters_9 > 1", "'filters_9'", "did you mean"),
    rule("activation.upper() == 'A'", "rule language"),
    rule("filters[0] > 1", "rule language"),
    rule("2 ** conv_depth > 1", "rule language"),
    rule("lambda: 1", "rule language"),
    rule("[f for f in filters]", "rule language"),
    rule("1 if conv_depth else 2", "rule language"),
    rule("(x := 2) == 2", "rule language"),
    rule("max(filters, key=abs) > 1", "rule language"),
    rule("1 < " * 150 + "2", "longer than 500 characters"),
    rule("(" * 240 + "1" + ")" * 240, "is not an expression"),
    rule("never_decrease(filters, 3)", "never_decrease takes a list, not 2 arguments"),
    rule("len() > 1", "len takes a list, and is given none"),
    rule("abs(1, 2) > 1", "abs takes a number, not 2 arguments"),
    rule("max() > 1", "max takes a list or several values, and is given none"),
    search(
        "ten thousand rules",
        "[[search]] 1 rules.where",
        "10,000 rules are more than 1,000",
        rules=f"where = {['dense_units > 3'] * 10_000}",
    ),
    search("a rule that is a number", "rules.where", "3 is not a rule", 'where = ["', rules="where = [3]"),
    search(
        "rules that leave nothing",
        "[[search]] 1 rules",
        "leave no configuration",
        "'conv_depth > 100'",
        "loosen",
        rules="where = ['conv_depth > 100']",
    ),
    search(
        "two rules that contradict",
        "'conv_depth > 2'",
        "'conv_depth < 2'",
        "loosen",
        rules="where = ['conv_depth > 2', 'conv_depth < 2']",
    ),
    search(
        "rules that leave nothing of random",
        "[[search]] 1 rules",
        "loosen",
        search='family = "cnn"\nalgorithm = "random"\nmax_trials = 3',
        rules="where = ['conv_depth > 100']",
    ),
    search(
        "a rule that one in two thousand would have to obey, and does not",
        "[[search]] 1 rules",
        "leave no configuration ('dense_units == 77', 'dense_units < 70')",
        search='family = "cnn"\nalgorithm = "bayesian"\nmax_trials = 3',
        space="dense_units = {min = 1, max = 2000}\ndropout = {min = 0.0, max = 0.5}",
        rules="where = ['dense_units == 77', 'dropout < 0.4', 'dense_units < 70']",
    ),
    search(
        "a rule that divides by 0",
        "[[search]] 1 rule",
        "'1 / (conv_depth - conv_depth) > 0'",
        "by zero",
        rules="where = ['1 / (conv_depth - conv_depth) > 0']",
    ),
    search(
        "a rule that compares words with numbers",
        "[[search]] 1 rule",
        "'activation > 3'",
        "cannot be computed",
        rules="where = ['activation > 3']",
    ),
    search(
        "a rule that multiplies words",
        "[[search]] 1 rule",
        "arithmetic needs numbers",
        rules="""where = ["activation * 9999999999 == 'a'"]""",
    ),
]

NETWORK = """
import keras
def build(hp, shape, classes):
    pixels = keras.Input(shape)
    x = keras.layers.Dense(hp.Int("units", 4, 8))(keras.layers.Flatten()(pixels))
    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))
"""
#: Rows whose answer comes from a worker, or an oracle of KerasTuner's, which has to import Keras: some seconds each.
NETWORKS = [
    search(
        "a rule that no real number obeys",
        "[[search]] 1 rules",
        "leave no configuration that 1,000 random draws came to ('dropout > 0.6')",
        "loosen",
        search='family = "cnn"\nalgorithm = "random"\nmax_trials = 3',
        space="dropout = {min = 0.0, max = 0.5}",
        rules="where = ['dropout > 0.6', 'dense_units > 3']",
    ),
    search(
        "a rule that no real number obeys, of Hyperband",
        "[[search]] 1 rules",
        "('dropout > 0.6')",
        search='family = "cnn"\nalgorithm = "hyperband"',
        space="dropout = {min = 0.0, max = 0.5}",
        rules="where = ['dropout > 0.6']",
    ),
    own_network("a module that is no Python", "def build(hp:\n", "net.py", "SyntaxError", "line 1"),
    own_network("a module that raises", "raise RuntimeError('not\\ntoday')\n", "'net'", "RuntimeError: not today"),
    own_network(
        "a module that exits", "import sys\nsys.exit(3)\n", "'net' cannot be imported", "SystemExit: 3, net.py line 2"
    ),
    own_network(
        "a module without the function", NETWORK, "family", "no 'biuld'", "did you mean 'build'?", family="net:biuld"
    ),
    own_network(
        "a parameter that is never asked for",
        NETWORK,
        "space.unit",
        "never asks for it",
        "did you mean 'units'?",
        space="unit = 8",
    ),
    own_network(
        "a value that build does not allow", NETWORK, "space.units", "512 is outside", space="units = [8, 512]"
    ),
    own_network(
        "a parameter that build asks for and tables need",
        NETWORK.replace('"units"', '"epochs"'),
        "family net:build",
        "asks for 'epochs', which is a column of the tables",
        "another name",
    ),
    own_network(
        "a grid over real numbers that build asks for",
        NETWORK.replace("return ", 'hp.Float("drop", 0.0, 0.5)\n    return '),
        "drop",
        "a grid needs a list of values or a range with a step",
        'algorithm = "random"',
    ),
    own_network(
        "a range that depends on another parameter",
        NETWORK.replace("return ", 'hp.Int("more", 1, hp.Boolean("deep") + 2)\n    return '),
        "asks for 'more' with different values, as others differ (1 to 2, and 1 to 3)",
        "[search.rules]",
    ),
    replace(
        own_network(
            "a rule about what build does not ask for",
            NETWORK,
            "rules.where",
            "no parameter is named 'unit'; did you mean 'units'?",
        ),
        given=(
            written("searches/wrong.toml", search_text(search='family = "net:build"', rules='where = ["unit > 4"]')),
            written("searches/net.py", NETWORK),
        ),
    ),
    search(
        "files for a built-in network",
        "[[search]] 1 files",
        "for a network of your own, which cnn is not",
        search='family = "cnn"\nfiles = ["weights.h5"]',
    ),
    replace(
        own_network("a file that is not there", NETWORK, "files 'weights.h5'", "is not there", "put it at"),
        given=(
            written("searches/wrong.toml", search_text(search='family = "net:build"\nfiles = ["weights.h5"]')),
            written("searches/net.py", NETWORK),
        ),
    ),
    own_network(
        "a network of logits",
        NETWORK.replace(', activation="softmax"', ""),
        "family net:build",
        "gives no probabilities",
        'activation="softmax"',
        "from_logits=True",
    ),
    own_network(
        "a HyperModel with a fit of its own",
        f"import keras_tuner\n{NETWORK}\nclass Net(keras_tuner.HyperModel):\n"
        "    def build(self, hp):\n        return build(hp, (8, 8, 1), 10)\n"
        "    def fit(self, hp, model, *args, **options):\n        return model.fit(*args, epochs=9, **options)\n",
        "family net:Net: cannot be trained on a few random images (its fit gives epochs by itself",
        "leave that out",
        family="net:Net",
    ),
    own_network(
        "a parameter that only compile uses",
        NETWORK.replace("return ", "model = ")
        + '    model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-5, 1e-2)), "categorical_crossentropy")\n'
        + "    return model\n",
        "space.rate",
        "net:build uses it only in what it compiles, and learning_rate takes the place of that",
        space="units = 4\nrate = [1e-5, 1e-2]\nlearning_rate = 0.1",
    ),
    own_network(
        "a model that trains by steps of its own",
        f"{NETWORK}\nclass Mine(keras.Model):\n    def train_step(self, data):\n        return {{}}\n"
        "def own(hp):\n    model = build(hp, (8, 8, 1), 10)\n    return Mine(model.inputs, model.outputs)\n",
        "has its own train_step, and is not compiled",
        "compile it in build",
        family="net:own",
    ),
    own_network(
        "an unknown scaling", NETWORK, "space.scaling", "'nome'", "did you mean 'none'?", space='scaling = "nome"'
    ),
    own_network(
        "a layer that cannot be saved",
        "import keras\nclass Twice(keras.layers.Layer):\n    def __init__(self, net):\n        super().__init__()\n"
        "        self.net = net\n    def call(self, x):\n        return x * 2\n"
        "def build(hp, shape, classes):\n    pixels = keras.Input(shape)\n"
        "    x = Twice(open)(keras.layers.Flatten()(pixels))\n"
        '    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))\n',
        "family net:build",
        "cannot be saved",
        "get_config",
    ),
    own_network(
        "a network that no two builds make alike",
        "import keras, itertools\ncount = itertools.count(1)\ndef build(hp, shape, classes):\n"
        "    pixels = keras.Input(shape)\n    x = keras.layers.Dense(next(count))(keras.layers.Flatten()(pixels))\n"
        '    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))\n',
        "family net:build",
        "built again, it has other weights",
    ),
    own_network(
        "a network with a state outside of its weights",
        "import keras, itertools\ncount = itertools.count(1)\ndef build(hp, shape, classes):\n"
        "    pixels = keras.Input(shape)\n    x = keras.layers.Rescaling(next(count) / 255)(pixels)\n"
        "    x = keras.layers.Flatten()(x)\n"
        '    return keras.Model(pixels, keras.layers.Dense(classes, activation="softmax")(x))\n',
        "family net:build",
        "it answers otherwise",
        "add_weight",
    ),
    replace(
        own_network(
            "a module that no import statement names",
            f"import importlib\nimportlib.import_module('net' + '_blocks')\n{NETWORK}",
            "net:build loads net_blocks.py otherwise than by an import statement",
            "write an import of it into net",
        ),
        given=(
            written("searches/wrong.toml", search_text(search='family = "net:build"')),
            written("searches/net.py", f"import importlib\nimportlib.import_module('net' + '_blocks')\n{NETWORK}"),
            written("searches/net_blocks.py", "WIDTH = 4\n"),
        ),
    ),
    search(
        "a layer that no network has",
        "[[search]] 1",
        "watch",
        "'conv_9'",
        "did you mean 'conv_2'?",
        top='watch = ["conv_9"]',
    ),
]
