"""The fault bench: searches are killed at every kind of moment, and must end as if nothing had happened.

`make chaos`, or `python -m benchmarks.chaos`; it writes `reports/chaos.md`.
"""
