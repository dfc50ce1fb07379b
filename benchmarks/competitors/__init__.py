"""A module per competitor, run as `python -m benchmarks.competitors.NAME WORKLOAD`; each prints its trials as JSON."""
