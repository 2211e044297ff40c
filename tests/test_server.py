"""What the web server sends, byte for byte and piece by piece."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from service.server import Joined, Protocol, listen

HEAD = b"HTTP/1.1 200 OK\r\n"


class Transport:
    """What has been sent, a piece at a time."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def writelines(self, pieces: Any) -> None:
        self.sent.append(b"".join(pieces))

    def close(self) -> None:
        self.closed = True


def test_a_head_waits_for_its_body() -> None:
    transport: Any = Transport()
    joined = Joined(transport)
    joined.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert transport.sent == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    joined.write(HEAD + b"content-length: 6\r\n\r\n")
    joined.write(b"one")
    joined.write(b"two")
    joined.end()
    chunked = HEAD + b"transfer-encoding: chunked\r\n\r\n"
    joined.write(chunked)
    assert transport.sent[1:] == [HEAD + b"content-length: 6\r\n\r\none", b"two", chunked]


@pytest.mark.parametrize("end", [Joined.end, Joined.close])
def test_a_head_without_a_body(end: Any) -> None:
    transport: Any = Transport()
    joined = Joined(transport)
    joined.write(HEAD)
    assert not joined.closed
    end(joined)
    end(joined)
    assert transport.sent == [HEAD]
    assert transport.closed == (end is Joined.close)


@asynccontextmanager
async def server(app: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of this application."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, http=Protocol, ws="none", lifespan="off", log_config=None, date_header=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.should_exit = True
        await serving


async def test_answers_over_one_connection() -> None:
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [] if scope["path"] == "/chunked" else [(b"content-length", b"4")]
        if scope["path"] == "/posted":
            headers = [(b"content-length", b"%d" % len((await receive())["body"]))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/chunked":
            await gate.wait()
        await send({"type": "http.response.body", "body": b"body" if scope["path"] != "/posted" else b"posted"})

    async with asyncio.timeout(30), server(app) as (reader, writer):
        for request, answer in (
            (b"GET /plain", b"content-length: 4\r\n\r\nbody"),
            (b"HEAD /plain", b"content-length: 4\r\n\r\n"),
            (b"GET /plain", b"content-length: 4\r\n\r\nbody"),
        ):
            writer.write(request + b" HTTP/1.1\r\nHost: here\r\n\r\n")
            assert await reader.readexactly(len(uvicorn_head(answer))) == uvicorn_head(answer)
        # The head of an answer in chunks does not wait for the first of them.
        writer.write(b"GET /chunked HTTP/1.1\r\nHost: here\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).endswith(b"transfer-encoding: chunked\r\n\r\n")
        gate.set()
        assert await reader.readexactly(14) == b"4\r\nbody\r\n0\r\n\r\n"
        # The client sends its body only when it is told to go on.
        writer.write(b"POST /posted HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abcdef")
        assert await reader.readexactly(len(uvicorn_head(b"content-length: 6\r\n\r\nposted"))) == uvicorn_head(
            b"content-length: 6\r\n\r\nposted"
        )
        # Two requests in one go are answered in their order.
        writer.write(2 * b"GET /plain HTTP/1.1\r\nHost: here\r\n\r\n")
        both = 2 * uvicorn_head(b"content-length: 4\r\n\r\nbody")
        assert await reader.readexactly(len(both)) == both


def uvicorn_head(rest: bytes) -> bytes:
    return HEAD + b"server: uvicorn\r\n" + rest
