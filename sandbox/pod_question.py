"""What a pod asks of its cluster: DNS by UDP and by TCP, and a Service by its address.

Run as a program inside a pod's network namespace (`health.py` does), so the standard library only and nothing of the
sandbox's. Prints a JSON object: what does not answer, and why; empty if all does.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Callable

LIMIT_SECONDS = 2.0
_NUMBER = 7


def query(name: str) -> bytes:
    """A DNS message that asks for the IPv4 address of a name; RFC 1035, section 4.1."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    # Recursion desired, one question: type A, class IN.
    return struct.pack("!6H", _NUMBER, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!2H", 1, 1)


def check(answer: bytes, address: str) -> None:
    """See that a DNS message answers `query` with an address.

    Raises:
        OSError: it does not; says what came instead.
    """
    if len(answer) < 12:
        raise OSError(f"{len(answer)} bytes are no DNS message")
    number, flags, _, answers = struct.unpack("!4H", answer[:8])
    if number != _NUMBER:
        raise OSError("an answer to another question")
    if flags & 15:
        raise OSError(f"DNS error {flags & 15}")
    if not answers or socket.inet_aton(address) not in answer:
        raise OSError(f"an answer without {address}")


def ask_udp(server: tuple[str, int], name: str, address: str) -> None:
    """Ask for the address of a name in one datagram; OSError if it is not told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(LIMIT_SECONDS)
        connection.connect(server)
        connection.send(query(name))
        check(connection.recv(2048), address)


def ask_tcp(server: tuple[str, int], name: str, address: str) -> None:
    """Ask for the address of a name over a connection; OSError if it is not told."""
    question = query(name)
    with socket.create_connection(server, LIMIT_SECONDS) as connection, connection.makefile("rb") as stream:
        # Over TCP each message has its length before it; RFC 1035, section 4.2.2.
        connection.sendall(struct.pack("!H", len(question)) + question)
        check(stream.read(int.from_bytes(stream.read(2), "big")), address)


def connect(server: tuple[str, int]) -> None:
    """Open a connection and close it; OSError if nobody accepts."""
    socket.create_connection(server, LIMIT_SECONDS).close()


def failures(dns: tuple[str, int], service: tuple[str, int], name: str) -> dict[str, str]:
    """What does not answer, with the reason.

    Args:
        dns: address and port of the cluster's DNS.
        service: address and port of a Service that has a name in DNS.
        name: that name.
    """
    questions: dict[str, Callable[[], None]] = {
        "DNS over UDP": lambda: ask_udp(dns, name, service[0]),
        "DNS over TCP": lambda: ask_tcp(dns, name, service[0]),
        "the Service of the API server": lambda: connect(service),
    }
    failed = {}
    for what, ask in questions.items():
        try:
            ask()
        except OSError as error:
            failed[what] = str(error)
    return failed


if __name__ == "__main__":
    print(json.dumps(failures((sys.argv[1], 53), (sys.argv[2], 443), sys.argv[3])))
