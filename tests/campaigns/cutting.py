"""A line that is cut after so many bytes, and a built-in server in a process that can be killed."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class CutLine:
    """A proxy to a port of this machine. Its first connections are cut after `cuts` bytes each, both ways counted
    together; those that follow are left alone. `carried` is what went through, in bytes."""

    def __init__(self, port: int, *cuts: int) -> None:
        self.target = port
        self.cuts = list(cuts)
        self.carried = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> CutLine:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            left = self.cuts.pop(0) if self.cuts else None
            threading.Thread(target=self._carry, args=(near, left), daemon=True).start()

    def _carry(self, near: socket.socket, left: int | None) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as far:
            while True:
                for end in select.select([near, far], [], [])[0]:
                    data = end.recv(65536)
                    if left is not None:
                        data, left = data[:left], left - len(data[:left])
                    (far if end is near else near).sendall(data)
                    self.carried += len(data)
                    if not data or left == 0:
                        return


_SERVER = """
import resource, sys, time
from pathlib import Path
from campaigns.exchange_server import EmbeddedSftpServer
root, port, largest = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if largest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
with EmbeddedSftpServer(root / "sftp", {"BA01": "mot-de-passe-un"}, root / "host_key", port=port) as server:
    print(server.port, flush=True)
    time.sleep(600)
"""


@contextmanager
def server_process(root: Path, *, port: int = 0, largest: int = 0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A built-in server of its own process, and its port; no file of it grows over `largest` bytes when given."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(root), str(port), str(largest)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()
