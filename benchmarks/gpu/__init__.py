"""What one GPU gives: study A's grid by this tool and by plain KerasTuner, single epochs, and more searches.

`make gpu`, or with an interpreter that has Keras on JAX or TensorFlow:

    python -m benchmarks.gpu --out DIR [--data-dir DIR] [--seconds N] [--workers N] [--also NAME ...]

In this order: the peak of the device; the grid, by `tuner run fashion_cnn`; some of its trials by KerasTuner; on JAX,
what an epoch costs alone, at once and vectorised; and, all at once, the searches of `--also`. Tables are written into
`--out` after each part, and the ledger stays in `runs/` there: started again with the same folder, the searches go on.
`--epochs`, `--train-size` and `--trials` make it smaller.
"""
