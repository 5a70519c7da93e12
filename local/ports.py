"""TCP ports of the loopback interface, which is the only one that services here listen on."""

import socket
from contextlib import ExitStack

from weather.errors import ExitCode, StepError

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """`count` different ports that nothing listens on at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    return free_ports(1)[0]


def is_free(port: int) -> bool:
    """Whether nothing listens on `port` at this moment."""
    with socket.socket() as probe:
        # As servers do: a port whose last connection ended a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(port: int, service: str) -> None:
    """Raise StepError naming `service` when something else listens on `port`."""
    if not is_free(port):
        raise StepError(
            f"port {port} of {LOOPBACK}, which {service} needs, is taken by another program;"
            " end that program and try again",
            ExitCode.SETTING,
        )
