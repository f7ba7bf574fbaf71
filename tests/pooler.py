"""A stand-in for a transaction pooler such as pgbouncer: hard on everything that does not survive one.

Two server connections are shared by all clients and handed out for one transaction at a time, in turn. So what a client
sets or prepares outside of a transaction is gone, or is somebody else's, at the next one.
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

from .postgres import free_port

_NO_ENCRYPTION = {80877103, 80877104}
_CANCEL = 80877102
_PROTOCOL = 196608
_KNOWN = {"user", "database", "client_encoding", "application_name", "datestyle", "timezone"}
"""What pgbouncer lets pass without ``ignore_startup_parameters``."""


class Pooler:
    """Listens on a port of its own until the context ends.

    Args:
        url: Where the server is; its user needs no password.

    Attributes:
        url: The same database through the pooler.
        refused: Startup parameters that clients were refused for.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "localhost", parts.port or 5432)
        self._startup = {"user": parts.username or "postgres", "database": parts.path[1:]}
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        place = f"{parts.username}@127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=place))
        self.refused: list[str] = []
        self._servers: queue.Queue[socket.socket] = queue.Queue()
        self._open: list[socket.socket] = [self._listener]
        self._greeting = b""

    def __enter__(self) -> Pooler:
        for _ in range(2):
            server = socket.create_connection(self._target)
            self._open.append(server)
            body = b"".join(f"{name}\0{value}\0".encode() for name, value in self._startup.items()) + b"\0"
            server.sendall(struct.pack("!ii", len(body) + 8, _PROTOCOL) + body)
            self._greeting, status = _until_ready(server)
            assert status == b"I"
            self._servers.put(server)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError), client:
            if self._welcomed(client):
                while self._transaction(client):
                    pass

    def _welcomed(self, client: socket.socket) -> bool:
        while True:
            (length,) = struct.unpack("!i", _exactly(client, 4))
            body = _exactly(client, length - 4)
            (code,) = struct.unpack("!i", body[:4])
            if code == _CANCEL:
                return False
            if code not in _NO_ENCRYPTION:
                break
            client.sendall(b"N")
        fields = body[4:].rstrip(b"\0").split(b"\0")
        unknown = [name.decode() for name in fields[::2] if name.decode().lower() not in _KNOWN]
        if unknown:
            self.refused += unknown
            text = f"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: {unknown[0]}\0\0".encode()
            client.sendall(b"E" + struct.pack("!i", len(text) + 4) + text)
            return False
        client.sendall(self._greeting)
        return True

    def _transaction(self, client: socket.socket) -> bool:
        """Pass messages on from the first one of a transaction until the server is idle again."""
        kind, message = _message(client)
        if kind == b"X":
            return False
        server = self._servers.get()
        try:
            while True:
                server.sendall(message)
                if kind in b"QS":
                    answer, status = _until_ready(server)
                    client.sendall(answer)
                    if status == b"I":
                        return True
                kind, message = _message(client)
        finally:
            self._servers.put(server)


def _until_ready(server: socket.socket) -> tuple[bytes, bytes]:
    """Everything up to ReadyForQuery, and the transaction status in it."""
    answer = b""
    while True:
        kind, message = _message(server)
        answer += message
        if kind == b"Z":
            return answer, message[-1:]


def _message(connection: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(connection, 5)
    return head[:1], head + _exactly(connection, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data
