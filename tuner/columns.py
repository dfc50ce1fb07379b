"""The names of the columns of every table that users read, once."""

TRIAL = "trial"
MODEL = "model"
FAMILY = "family"
OBJECTIVE = "objective"
DIRECTION = "direction"
DATASET = "dataset"
ROLE = "role"
STATUS = "status"
ERROR = "error"
SEED = "seed"
EPOCHS = "epochs"
BEST_EPOCH = "best_epoch"
TRAINED = "epochs_trained"
STOPPED = "stopped"
TRAIN_SIZE = "train_size"
TEST_SIZE = "test_size"
PARAMETERS = "parameters"
SECONDS = "seconds"
SECONDS_PER_EPOCH = "seconds_per_epoch"
BEGAN = "began"
ENDED = "ended"
NODE = "node"
WORKER = "worker"
LATENCY_MS = "latency_ms"
MEGABYTES = "megabytes"

VAL_ACCURACY = "val_accuracy"
VAL_LOSS = "val_loss"
VAL_UNPENALISED_LOSS = "val_unpenalised_loss"
FOLDS = "folds"
STANDARD_ERROR = "standard_error"
LOSS = "loss"
UNPENALISED_LOSS = "unpenalised_loss"
TEST_ACCURACY = "test_accuracy"
TEST_LOSS = "test_loss"
BEST_VAL_ACCURACY = "best_val_accuracy"

TRIALS = "trials"
FAILED = "failed"
STUCK = "stuck_at_chance"
EPOCH = "epoch"
LAYER = "layer"
GRADIENT_NORM = "gradient_norm"
REPEATS = "repeats"
FILE = "file"
SEARCH_SCORE = "search_score"
RETRAINED_MEAN = "retrained_mean"
RETRAINED_SD = "retrained_sd"
MEAN_LOW = "mean_ci_low"
MEAN_HIGH = "mean_ci_high"
INTERVAL_LOW = "ci_low"
INTERVAL_HIGH = "ci_high"
DELTA_DATASET = "delta_dataset"
DELTA_MODEL = "delta_model"
P_VALUE = "p_value"
SEARCH = "search"
DELTA = "delta"
DELTA_LOW = "delta_ci_low"
DELTA_HIGH = "delta_ci_high"
LEAST_SHOWN = "least_shown"
CHANCE_AHEAD = "chance_ahead"
MATTERS = "matters"
MCNEMAR = "mcnemar_mid_p"
OTHER_MODEL = "other_model"
BETTER = "really_better"
METRIC = "metric"
VALUE = "value"

CLASS = "class"
KIND = "kind"
#: What stands there for a row of averages; for others the same as the name of their column.
AVERAGE = "average"
#: What such a row of the mean over all classes that occur is called.
MACRO_AVERAGE = "macro average"
PRECISION = "precision"
RECALL = "recall"
F1 = "f1"
ROC_AUC = "roc_auc"
AVERAGE_PRECISION = "average_precision"
SUPPORT = "support"
TRUE_CLASS = "true_class"
PREDICTED_CLASS = "predicted_class"
CONFIDENCE = "confidence"

#: What a clock measured of a trial; of the files of a report only those of its section on time hold it.
CLOCKED = (SECONDS, SECONDS_PER_EPOCH, LATENCY_MS)
#: What `tuner results` prints in front of the parameters, in this order.
RESULTS = (
    TRIAL, MODEL, FAMILY, DATASET, STATUS, ERROR, SEED, EPOCHS, TRAINED, STOPPED, BEST_EPOCH, TRAIN_SIZE,
    PARAMETERS, SECONDS, VAL_ACCURACY, VAL_LOSS, VAL_UNPENALISED_LOSS, FOLDS, STANDARD_ERROR,
)  # fmt: skip
#: Columns of `tuner.compare`.
COMPARED = (
    DATASET, SEARCH, MODEL, FAMILY, OBJECTIVE, RETRAINED_MEAN, RETRAINED_SD, REPEATS, TEST_ACCURACY, INTERVAL_LOW,
    INTERVAL_HIGH, DELTA, DELTA_LOW, DELTA_HIGH, P_VALUE, LEAST_SHOWN, MATTERS, CHANCE_AHEAD, MCNEMAR, PARAMETERS,
    MEGABYTES, EPOCHS, TRAIN_SIZE, TEST_SIZE,
)  # fmt: skip
#: Names that a parameter or a search may not have: tables have a column, or a row, for each of these beside theirs.
TAKEN = {
    *RESULTS, *CLOCKED, RETRAINED_MEAN, RETRAINED_SD, REPEATS, ROLE, TRIALS, FAILED, STUCK, EPOCH, LAYER, SEARCH,
    METRIC, VALUE, CLASS, TRUE_CLASS, PREDICTED_CLASS, "curve", "images",
}  # fmt: skip
#: Columns of `tuner.history`, a row for each value.
HISTORY = (TRIAL, MODEL, DATASET, ROLE, EPOCH, METRIC, VALUE)
