"""What a pod asks of its cluster, against servers of this machine that answer rightly, wrongly or not at all."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from sandbox import pod_question
from sandbox.health import QUESTION

NAME, ADDRESS = "kubernetes.default.svc.cluster.local", "10.96.0.1"


def answer(question: bytes, address: str = ADDRESS, flags: int = 0x8180) -> bytes:
    """What a DNS server says; RFC 1035, section 4.1.3: a name that points back, type, class, TTL, length, address."""
    record = struct.pack("!3HIH", 0xC00C, 1, 1, 30, 4) + socket.inet_aton(address)
    return question[:2] + struct.pack("!5H", flags, 1, 1, 0, 0) + question[12:] + record


def address_of(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()
    return host, port


@pytest.fixture
def serve_udp() -> Iterator[Callable[[Callable[[bytes], bytes]], tuple[str, int]]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))

        def serve(reply: Callable[[bytes], bytes]) -> tuple[str, int]:
            def once() -> None:
                question, peer = listener.recvfrom(2048)
                listener.sendto(reply(question), peer)

            threading.Thread(target=once, daemon=True).start()
            return address_of(listener)

        yield serve


@pytest.fixture
def serve_tcp() -> Iterator[Callable[[Callable[[bytes], list[bytes]]], tuple[str, int]]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(reply: Callable[[bytes], list[bytes]]) -> tuple[str, int]:
            def once() -> None:
                connection, _ = listener.accept()
                with connection:
                    for piece in reply(connection.recv(2048)):
                        connection.sendall(piece)

            threading.Thread(target=once, daemon=True).start()
            return address_of(listener)

        yield serve


@pytest.fixture
def closed() -> tuple[str, int]:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return address_of(listener)


def test_an_answer_by_udp(serve_udp: Callable[..., tuple[str, int]]) -> None:
    pod_question.ask_udp(serve_udp(answer), NAME, ADDRESS)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (lambda question: answer(question, "10.96.0.2"), "an answer without 10.96.0.1"),
        (lambda question: answer(question, flags=0x8182), "DNS error 2"),
        (lambda question: b"xx" + answer(question)[2:], "an answer to another question"),
        (lambda _: b"", "0 bytes are no DNS message"),
    ],
)
def test_a_wrong_answer_is_told(
    serve_udp: Callable[..., tuple[str, int]], reply: Callable[[bytes], bytes], told: str
) -> None:
    with pytest.raises(OSError, match=told):
        pod_question.ask_udp(serve_udp(reply), NAME, ADDRESS)


def test_an_answer_by_tcp_may_come_in_pieces(serve_tcp: Callable[..., tuple[str, int]]) -> None:
    def pieces(question: bytes) -> list[bytes]:
        whole = answer(question[2:])
        return [struct.pack("!H", len(whole)), whole[:5], whole[5:]]

    pod_question.ask_tcp(serve_tcp(pieces), NAME, ADDRESS)


def test_a_connection_that_ends_without_an_answer_is_told(serve_tcp: Callable[..., tuple[str, int]]) -> None:
    with pytest.raises(OSError, match="0 bytes are no DNS message"):
        pod_question.ask_tcp(serve_tcp(lambda _: []), NAME, ADDRESS)


def test_all_that_does_not_answer_is_named(closed: tuple[str, int]) -> None:
    failed = pod_question.failures(closed, closed, NAME)
    assert list(failed) == ["DNS over UDP", "DNS over TCP", "the Service of the API server"]
    assert all("refused" in why for why in failed.values())


def test_what_answers_is_not_named(closed: tuple[str, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        failed = pod_question.failures(closed, listener.getsockname(), NAME)
    assert list(failed) == ["DNS over UDP", "DNS over TCP"]


def test_it_is_a_program_of_the_standard_library_alone() -> None:
    # No site packages, no folder of ours on the path: as in a pod's network namespace.
    argv = [sys.executable, "-IS", str(QUESTION), "127.0.0.250", "127.0.0.250", NAME]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
    assert "the Service of the API server" in done.stdout
