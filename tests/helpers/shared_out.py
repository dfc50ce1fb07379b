"""How the processes of pytest-xdist share tests out, with `--dist loadfile`: by files, but long tests one by one.

Most of a file's tests are quick, and what they share is made once. Of those in `ONE_BY_ONE`, many take seconds and
start processes of their own, so that a file of them would keep one process busy when others have nothing left to do.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

#: Files whose tests share nothing, or only what is quickly made or made once for all processes.
ONE_BY_ONE = (
    "tests/api/test_examples.py",
    "tests/benchmarks/test_benchmarks.py",
    "tests/cli/test_end_to_end.py",
    "tests/cli/test_finished_search.py",
    "tests/cli/test_kept_networks.py",
    "tests/cli/test_killed_search.py",
    "tests/cli/test_streams.py",
    "tests/running/test_resources.py",
    "tests/saved_models/test_verify.py",
)


class ByFileOrOneByOne(LoadScopeScheduling):
    """Hands each process the tests of a file, or a single one of a file in `ONE_BY_ONE`."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file in ONE_BY_ONE else file
