"""Part `quality`: how long each tool takes to reach the validation score of the best of 40 random full trials.

A search over 200 CNNs is decided again and again, by each tool's own algorithm with many seeds, on learning curves that
this tool recorded once: `space.py` is the space in each tool's words, `curves.py` trains it and times an epoch as each
tool trains it, `clock.py` tells the time of a decided training, `ours.py` and `peers.py` decide, `section.py` reports.
Real trainings of every seed would take days, and would say the same: what an algorithm decides depends on scores alone.
"""
