"""What runs in a worker process: a trial, trained from its network to its scores. The room that imports Keras."""
