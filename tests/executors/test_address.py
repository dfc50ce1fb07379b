"""Addresses of clusters, and whether anybody is there."""

from __future__ import annotations

import socket
import time

import pytest

from tuner.errors import InputError
from tuner.executors.address import check_address


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
        ("nonsense", "is not written as HOST:PORT"),
        ("ray://head:10001", "is not written as HOST:PORT; start on a node of the cluster"),
        ("head:", "is not written as HOST:PORT"),
        ("head:many", "no Ray cluster answers at head:many"),
    ],
)
def test_an_address_where_nobody_answers_is_said_at_once(address: str, said: str) -> None:
    begun = time.monotonic()
    with pytest.raises(InputError, match="--address") as raised:
        check_address(address)
    assert said in str(raised.value)
    assert time.monotonic() - begun < 60  # Ray itself would wait for minutes


def test_an_address_of_the_environment_is_looked_at_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(InputError, match=r"RAY_ADDRESS: no Ray cluster answers at 127\.0\.0\.1:1"):
        check_address(None)


@pytest.mark.parametrize("address", [None, "auto", "local"])
def test_what_ray_finds_by_itself_is_not_looked_at(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    check_address(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_where_somebody_listens_there_may_be_a_cluster(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_address(f"{host}:{server.getsockname()[1]}")
