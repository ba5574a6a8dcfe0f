"""The balancer before API servers: who gets a connection, and that its bytes come through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sandbox import api_balancer
from sandbox.api_balancer import Servers

FIRST, SECOND = "127.0.0.1", "127.0.0.2"


def test_servers_that_are_ready_take_turns_and_the_others_come_last() -> None:
    servers = Servers(["a", "b", "c"])
    for ready in ("a", "c"):
        servers.note(ready, True)
    orders = [servers.order() for _ in range(6)]
    assert {order[-1] for order in orders} == {"b"}
    assert {order[0] for order in orders} == {"a", "c"}


def test_a_change_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    servers = Servers(["a"])
    for ready in (False, True, True, False):
        servers.note("a", ready)
    assert capsys.readouterr().out.splitlines() == ["a is ready", "a is not ready"]


async def _name(address: str, port: int) -> tuple[asyncio.Server, int]:
    """A server that answers a line with its address and that line."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(address.encode() + b" " + await reader.read())
        writer.close()

    server = await asyncio.start_server(answer, address, port)
    return server, server.sockets[0].getsockname()[1]


async def _ask(port: int) -> str:
    reader, writer = await asyncio.open_connection(FIRST, port)
    writer.write(b"hello")
    writer.write_eof()
    told = (await reader.read()).decode()
    writer.close()
    return told


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async def ask() -> None:
        while not await condition():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(ask(), 5)


def test_connections_go_to_a_server_that_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = {FIRST: True, SECOND: True}

    async def status(address: str, port: int) -> bytes:
        return b"HTTP/1.1 200 OK" if ready[address] else b"HTTP/1.1 500 no"

    monkeypatch.setattr(api_balancer, "_status", status)
    monkeypatch.setattr(api_balancer, "ASK_SECONDS", 0.01)

    async def scene() -> None:
        first, port = await _name(FIRST, 0)
        second, _ = await _name(SECOND, port)
        free, own = await _name(FIRST, 0)
        free.close()
        await free.wait_closed()
        serving = asyncio.create_task(api_balancer.serve(FIRST, own, [FIRST, SECOND], port))

        async def answers() -> bool:
            try:
                return (await _ask(own)).endswith("hello")
            except OSError:
                return False

        await _until(answers)
        assert {(await _ask(own)).split()[0] for _ in range(4)} == {FIRST, SECOND}
        ready[FIRST] = False  # it still takes connections, as an API server that starts does

        async def second_alone() -> bool:
            return {await _ask(own) for _ in range(4)} == {f"{SECOND} hello"}

        await _until(second_alone)
        ready[FIRST] = True
        second.close()  # nobody has noticed yet
        assert {await _ask(own) for _ in range(4)} == {f"{FIRST} hello"}
        first.close()
        assert await _ask(own) == ""
        serving.cancel()

    asyncio.run(scene())
