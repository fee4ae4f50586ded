"""The tests' own tool: a port that stays free for the server it is meant for."""

from __future__ import annotations

import contextlib
import socket

import pytest

from tests.processes import HeldPort


def test_a_held_port_goes_to_the_server_that_names_it_and_to_nobody_else() -> None:
    with contextlib.closing(HeldPort()) as held, socket.socket() as other, socket.socket() as server:
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", held.number))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", held.number))
        server.listen()
        assert server.getsockname() == ("127.0.0.1", held.number)
