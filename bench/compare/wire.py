"""Small clients: enough RESP and memcached text to fill a server and to ask it how it is.

`fill_*` produce pipelined batches as bytes, so that loading five million keys takes seconds; the
answers are counted by their length, which every server here makes constant.
"""

import socket
import time

KEY_BYTES = 16


def key(index):
    """The key of `redis-benchmark -r`: 16 bytes."""
    return b"key:%012d" % index


def value(index, size):
    """A value that is no integer, differs from key to key and holds no line end."""
    text = b"v%07d" % (index % 10_000_000)
    return (text * (size // 8 + 1))[:size]


def request(*args):
    """One RESP request."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        data = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class Refused(RuntimeError):
    """The server answered with an error."""


class Connection:
    """A blocking connection with a read buffer."""

    def __init__(self, port, timeout_s=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data

    def line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            self._more()
        line, self.buffer = self.buffer[:end], self.buffer[end + 2:]
        return line

    def take(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def reply(self):
        """One RESP reply; errors are raised."""
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise Refused(rest.decode(errors="replace"))
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.take(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        raise ConnectionError(f"not a reply: {line[:60]!r}")

    def call(self, *args):
        self.send(request(*args))
        return self.reply()

    def info(self, section="all"):
        """INFO as a dictionary of strings."""
        text = self.call("INFO", section).decode()
        rows = (line.partition(":") for line in text.split("\r\n") if line and line[0] != "#")
        return {name: field for name, _, field in rows}

    def stats(self):
        """memcached's `stats`."""
        self.send(b"stats\r\n")
        found = {}
        while (line := self.line()) != b"END":
            _, name, field = line.decode().split(" ", 2)
            found[name] = field
        return found

    def expect(self, batch, answer):
        """Sends a batch and insists on exactly this answer."""
        self.send(batch)
        got = self.take(len(answer))
        if got != answer:
            at = next(i for i in range(len(answer)) if got[i] != answer[i])
            raise Refused(got[at:at + 120].decode(errors="replace"))

    def expect_lines(self, batch, lines):
        """Sends a batch whose answers have so many lines, none of them an error."""
        self.send(batch)
        while self.buffer.count(b"\r\n") < lines or not self.buffer.endswith(b"\r\n"):
            self._more()
        answer, self.buffer = self.buffer, b""
        at = 0 if answer[:1] == b"-" else answer.find(b"\n-") + 1
        if answer[at:at + 1] == b"-":
            raise Refused(answer[at:at + 120].decode(errors="replace"))


def wait_ready(port, protocol, alive, limit_s=20.0):
    """Returns once the server answers; None when it ended or never did."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and alive():
        try:
            connection = Connection(port, timeout_s=2)
            if protocol == "resp":
                if connection.call("PING") == b"PONG":
                    return connection
            else:
                connection.send(b"mn\r\n")
                if connection.line() == b"MN":
                    return connection
            connection.close()
        except (OSError, Refused):
            pass
        time.sleep(0.005)
    return None


def set_one(protocol, index, size, ttl_s):
    """The request that stores key `index`."""
    if protocol == "resp":
        if ttl_s:
            return b"*5\r\n$3\r\nSET\r\n$16\r\n%b\r\n$%d\r\n%b\r\n$2\r\nEX\r\n$%d\r\n%d\r\n" % (
                key(index), size, value(index, size), len(str(ttl_s)), ttl_s)
        return b"*3\r\n$3\r\nSET\r\n$16\r\n%b\r\n$%d\r\n%b\r\n" % (
            key(index), size, value(index, size))
    return b"set %b 0 %d %d\r\n%b\r\n" % (key(index), ttl_s, size, value(index, size))


def stored(protocol):
    return b"+OK\r\n" if protocol == "resp" else b"STORED\r\n"


def fill(port, protocol, count, size, ttl_s=0, progress=None):
    """Stores keys 0..count with values of `size` bytes, a thousand to a batch."""
    connection = Connection(port)
    for first in range(0, count, 1000):
        last = min(first + 1000, count)
        batch = b"".join(set_one(protocol, i, size, ttl_s) for i in range(first, last))
        connection.expect(batch, stored(protocol) * (last - first))
        if progress and first % 100_000 == 0:
            progress(first, count)
    connection.close()
