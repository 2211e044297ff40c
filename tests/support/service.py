"""The service as a process of its own: `async with Service(url, directory) as service`."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.client import Grove

SECONDS_TO_START = 60
SECONDS_TO_STOP = 30


class Service:
    """Serves one database at one port. After `kill` or `stop`, `start` brings it back at the same address."""

    def __init__(self, database: str, directory: Path, *options: str, **environment: str) -> None:
        """`options` are more words for `grove serve`; `environment` is added to the tests' own."""
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.directory = directory
        self.log = directory / f"service-{self.port}.log"
        self.command = [
            *(sys.executable, "-m", "service", "serve"),
            *("--database", database, "--host", "127.0.0.1", "--port", str(self.port)),
            *options,
        ]
        self.environment = os.environ | environment
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Returns as soon as the service is ready."""
        with self.log.open("ab") as log:
            # A session of its own, so that its workers can be killed together with it. Its working directory
            # is away from the checkout and its .env.
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(SECONDS_TO_START), httpx.AsyncClient() as http:
                while not await self.ready(http):
                    assert self.process.poll() is None, f"The service ended:\n{self.tail()}"
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"The service was not ready in time:\n{self.tail()}") from None

    async def ready(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.base_url}/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def kill(self) -> None:
        """SIGKILL, to the workers as well."""
        await self.end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, as an operator stops it. Returns the exit code."""
        return await self.end(signal.SIGTERM)

    async def end(self, reason: signal.Signals) -> int:
        assert self.process, "The service was never started."
        if reason == signal.SIGKILL:
            os.killpg(self.process.pid, reason)
        else:
            self.process.send_signal(reason)
        return await asyncio.to_thread(self.process.wait, SECONDS_TO_STOP)

    def tail(self, lines: int = 100) -> str:
        """The end of what the service wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Grove]:
        async with httpx.AsyncClient(base_url=self.base_url, timeout=60) as http:
            yield Grove(http)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """One plain HTTP request."""
        async with httpx.AsyncClient(base_url=self.base_url, timeout=60) as http:
            return await http.get(path, **options)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        # pytest shows it where the test fails.
        print(self.tail())

    async def close(self) -> None:
        """Ends it, whatever state it is in."""
        if self.process and self.process.poll() is None:
            try:
                await self.stop()
            except subprocess.TimeoutExpired:
                await self.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
