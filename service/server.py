"""The web server: uvicorn, with a limit to what it takes for a request's head."""

import asyncio
import os
import signal
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from service.settings import Settings

# Connections that wait while all workers are at work.
BACKLOG = 2_048
LONGEST_HEAD = 64 * 1024
# As uvicorn writes it.
CHUNKED = b"transfer-encoding: chunked"


class Joined:
    """A transport that sends the head of an answer together with its body, which comes right behind it.

    uvicorn writes one after the other. To send each by itself, and to wake the client twice, takes longer than anything
    else that is done for a small answer. An answer in chunks may be long in coming: its head goes at once.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 100") and CHUNKED not in data:
            self._head = data
        else:
            self._transport.write(data)

    def end(self) -> None:
        """The answer has no more to it."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""

    def close(self) -> None:
        self.end()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, with bounded heads and joined answers.

    Without a limit an address of 60 MB keeps everybody else waiting for 6 s.
    """

    in_head = True
    head_bytes = 0
    # How often a head or a whole request has ended.
    turns = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # Uvicorn takes it for a transport, which it is as far as uvicorn asks: hence the ignored types.
        super().connection_made(Joined(transport))  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        self.transport.end()  # type: ignore[attr-defined]
        super().on_response_complete()

    def on_headers_complete(self) -> None:
        self.in_head = False
        self.turns += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.in_head = True
        self.turns += 1
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        turns = self.turns
        super().data_received(data)
        # Only what is a head from its first byte to its last counts.
        self.head_bytes = self.head_bytes + len(data) if self.in_head and turns == self.turns else 0
        if self.head_bytes > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The address and the headers of a request must not exceed 64 KB.")


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections at once; they are answered when the service is up. Raises OSError."""
    family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    # Worker processes inherit it.
    listener.set_inheritable(True)
    return listener


def address(listener: socket.socket) -> str:
    """Where a browser on this machine finds the service."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(settings: Settings, listener: socket.socket) -> None:
    """Serves until it is asked to stop."""
    # The application, here or in a worker, reads its settings from the environment.
    os.environ.update(settings.as_environment())
    config = uvicorn.Config(
        "service.app:app_from_environment",
        factory=True,
        workers=settings.workers,
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        # uvicorn asks its workers for a sign of life as soon as they start, and on a busy machine a start takes long.
        timeout_worker_healthcheck=60,
    )
    # uvicorn shuts down in good order at SIGTERM, and then raises it once more for whoever started it.
    signal.signal(signal.SIGTERM, _end_well)
    try:
        if settings.workers > 1:
            Multiprocess(config, [listener]).run()
        else:
            uvicorn.Server(config).run([listener])
    except KeyboardInterrupt:
        pass


def _end_well(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
