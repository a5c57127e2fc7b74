"""A time-stamping authority of the tests, on loopback: openssl signs, http.server speaks RFC 3161 over HTTP."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tenants.constat.timestamps import REPLY, Authority

CONFIGURATION = """
[ tsa ]
default_tsa = here
[ here ]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
[ req ]
distinguished_name = name
prompt = no
[ name ]
CN = Autorité d'essai
[ ca ]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[ stamping ]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def openssl(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *arguments], cwd=folder, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def found_authority(folder: Path) -> Path:
    """Keys and certificates of an authority: a root, and a signer that may only stamp."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "serial").write_text("01\n")
    (folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    shared = ("-config", "openssl.cnf", "-utf8", "-nodes", "-newkey", "rsa:2048", "-sha256")
    openssl(folder, "req", "-x509", *shared, "-extensions", "ca", "-days", "30", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=Racine d'essai")  # fmt: skip
    openssl(folder, "req", *shared, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Autorité d'essai")
    openssl(folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
            "30", "-extfile", "openssl.cnf", "-extensions", "stamping", "-out", "tsa.pem")  # fmt: skip
    return folder


@contextmanager
def authority(folder: Path, *, answer: bytes | None = None, content_type: str = REPLY) -> Iterator[Authority]:
    """A server that stamps; `answer` makes it say always the same."""

    class Stamper(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            (folder / "query.tsq").write_bytes(query)
            told = answer
            if told is None:
                openssl(
                    folder, "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr"
                )
                told = (folder / "reply.tsr").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stamper)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        port = server.server_address[1]
        yield Authority(f"http://127.0.0.1:{port}/tsr", (folder / "ca.pem").read_bytes(), timeout=10)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
