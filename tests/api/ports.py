"""A port for a server of the tests."""

import itertools
import os
import socket

#: Below what systems give out by themselves, and for each process of the tests elsewhere.
_CANDIDATES = itertools.cycle(range(20_000, 32_000))
for _ in range(os.getpid() * 37 % 12_000):
    next(_CANDIDATES)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, and that nobody is given by chance before a server takes it."""
    for port in itertools.islice(_CANDIDATES, 12_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("every port is taken")
