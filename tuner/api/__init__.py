"""`import tuner`: its functions, its displays, and what a notebook shows."""
