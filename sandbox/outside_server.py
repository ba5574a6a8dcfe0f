"""The world outside a cluster, as a server: accepts TCP and UDP on a few ports and sends back what it gets.

Runs in the sandbox's ``outside`` machine; standard library only. A TCP client that sends an HTTP request
gets an HTTP answer that names the client's address, any other gets its own bytes back.
Arguments: ``outside_server.py ADDRESS TCP_PORT,... UDP_PORT,...``
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

_METHODS = (b"GET ", b"HEAD ", b"POST ", b"PUT ")


def reply(data: bytes, client: str) -> tuple[bytes, bool]:
    """What to send for what was received, and whether that ends the conversation."""
    if not data.startswith(_METHODS):
        return data, False
    body = f"outside saw {client}\n".encode()
    fields = [
        "HTTP/1.1 200 OK",
        "Content-Type: text/plain",
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    ]
    return "\r\n".join(fields).encode() + (b"" if data.startswith(b"HEAD ") else body), True


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    client = writer.get_extra_info("peername")[0]
    port = writer.get_extra_info("sockname")[1]
    print(f"TCP {port} from {client}", flush=True)
    try:
        while data := await asyncio.wait_for(reader.read(65536), timeout=30):
            answer, over = reply(data, client)
            writer.write(answer)
            await writer.drain()
            if over:
                break
    except (OSError, asyncio.TimeoutError):
        print(f"TCP {port} from {client}: given up", flush=True)
    finally:
        writer.close()


class _Echo(asyncio.DatagramProtocol):
    def __init__(self, port: int) -> None:
        self.port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every Python calls the transport of a datagram socket a DatagramTransport.
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        print(f"UDP {self.port} from {addr[0]}", flush=True)
        self.transport.sendto(data, addr)


def _ports(text: str) -> list[int]:
    return [int(port) for port in text.split(",") if port]


async def serve(address: str, tcp: list[int], udp: list[int]) -> None:
    """Serve for ever."""
    loop = asyncio.get_running_loop()
    for port in tcp:
        await asyncio.start_server(_converse, address, port)
    for port in udp:
        await loop.create_datagram_endpoint(lambda port=port: _Echo(port), local_addr=(address, port))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], _ports(sys.argv[2]), _ports(sys.argv[3])))
