"""The address before several API servers: each connection goes to one that says it is ready.

Runs in the sandbox's ``balancer`` machine; standard library only. What a load balancer in front of a kubeadm cluster
does: TCP is passed on as it is, and each server is asked for ``/readyz`` (which a cluster answers to everybody).
Arguments: ``api_balancer.py ADDRESS PORT SERVER...``
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
from collections.abc import Sequence

ASK_SECONDS = 0.5
ANSWER_SECONDS = 2.0
CONNECT_SECONDS = 1.0


class Servers:
    """API servers, and which of them were ready when they were asked last."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = list(addresses)
        self.ready: dict[str, bool] = dict.fromkeys(addresses, False)
        self._turn = 0

    def order(self) -> list[str]:
        """In which order a new connection tries them: those that are ready in turns, then the others."""
        self._turn = (self._turn + 1) % len(self.addresses)
        turned = self.addresses[self._turn :] + self.addresses[: self._turn]
        return sorted(turned, key=lambda address: not self.ready[address])

    def note(self, address: str, ready: bool) -> None:
        """Remember an answer, and say so when it is another one than before."""
        if self.ready[address] is not ready:
            print(f"{address} is {'ready' if ready else 'not ready'}", flush=True)
        self.ready[address] = ready


async def _status(address: str, port: int) -> bytes:
    context = ssl.create_default_context()
    # Only whether it is ready is asked; connections of clients are theirs, and they look at certificates.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(address, port, ssl=context)
    try:
        writer.write(f"GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        return await reader.readline()
    finally:
        writer.close()


async def watch(servers: Servers, address: str, port: int) -> None:
    """Ask one server again and again."""
    while True:
        try:
            line = await asyncio.wait_for(_status(address, port), ANSWER_SECONDS)
            servers.note(address, b" 200 " in line)
        except (OSError, asyncio.TimeoutError):
            servers.note(address, False)
        await asyncio.sleep(ASK_SECONDS)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        # The other direction goes on: an end of sending is passed on as one.
        if writer.can_write_eof():
            writer.write_eof()


async def connect(servers: Servers, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A connection to the first server that takes one."""
    for address in servers.order():
        try:
            return await asyncio.wait_for(asyncio.open_connection(address, port), CONNECT_SECONDS)
        except (OSError, asyncio.TimeoutError):
            servers.note(address, False)
    return None


async def serve(address: str, port: int, addresses: Sequence[str], port_of_servers: int = 0) -> None:
    """Serve for ever.

    Args:
        address: where to listen.
        port: where to listen.
        addresses: of the servers.
        port_of_servers: where they listen; 0 means the same port.
    """
    servers, behind = Servers(addresses), port_of_servers or port

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = await connect(servers, behind)
        if found is None:
            writer.close()
            return
        try:
            await asyncio.gather(_pump(reader, found[1]), _pump(found[0], writer))
        finally:
            writer.close()
            found[1].close()

    await asyncio.start_server(converse, address, port)
    await asyncio.gather(*(watch(servers, one, behind) for one in addresses))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
