"""A module per competitor, run as `python -m benchmarks.competitors.NAME WORKLOAD SEED [OPTION]`.

Each prints its trials as JSON; see `base.py`.
"""
