"""Resident bytes per element and per key of every collection type, small and large.

Question: what does an element cost, content and all? A fresh server for every row and peer;
resident memory before the fill and after it has stood still, divided by the elements. Rows are
data: type, form, keys, elements a key, bytes an element. Each holds enough for a process's fixed
costs to vanish in it, and every peer gets the same requests in the same order.
"""

import peers
import results
import wire
from results import say

ELEMENTS_A_REQUEST = 100
REQUESTS_A_BATCH = 100
STILL_S = 0.7


class Row:
    """`sizes`: bytes of an element's texts, in the order the command takes them."""

    def __init__(self, kind, form, keys, elements, sizes, note=""):
        self.kind, self.form, self.keys, self.elements = kind, form, keys, elements
        self.sizes, self.note = sizes, note

    def name(self):
        size = "+".join(str(size) for size in self.sizes)
        return f"{self.kind}, {self.form}: {self.elements} x {size} B{self.note}"

    def content_bytes(self):
        return sum(self.sizes)

    def at(self, part):
        """The same row with a part of its keys, or of its elements where there are few keys."""
        keys, elements = self.keys, self.elements
        if keys >= 1000:
            keys //= part
        else:
            keys, elements = 1, elements // part
        return Row(self.kind, self.form, keys, elements, self.sizes, self.note)


ROWS = [
    Row("list", "large", 1, 6_000_000, [8]),
    Row("list", "large", 1, 1_000_000, [64]),
    Row("list", "small", 400_000, 10, [8]),
    Row("set", "large", 2, 1_000_000, [10]),
    Row("set", "small", 300_000, 10, [10]),
    Row("set of integers", "small", 400_000, 20, [6]),
    Row("hash", "large", 2, 1_000_000, [10, 10]),
    Row("hash", "large", 1, 1_000_000, [10, 64]),
    Row("hash", "small", 250_000, 10, [10, 10]),
    Row("sorted set", "large", 1, 1_000_000, [6, 16], ", whole scores"),
    Row("sorted set", "small", 250_000, 10, [6, 16], ", whole scores"),
    Row("stream", "large", 1, 1_000_000, [34]),
    Row("stream", "small", 50_000, 10, [34]),
]

VERBS = {"list": b"RPUSH", "set": b"SADD", "set of integers": b"SADD", "hash": b"HSET",
         "sorted set": b"ZADD", "stream": b"XADD"}


def _text(number, size):
    """Text of `size` bytes, eight at least, that is no integer and names `number`."""
    return (b"e%07d" % number).ljust(size, b".")


def _words(row, number):
    """The words of element `number`. Scores and integers come in no order."""
    shuffled = number * 514_229 % 900_000 + 100_000
    if row.kind == "set of integers":
        return [b"%d" % shuffled]
    if row.kind == "sorted set":
        return [b"%d" % shuffled, _text(number, row.sizes[1])]
    if row.kind == "stream":
        return [b"*", b"text", _text(number, row.sizes[0])]
    return [_text(number, size) for size in row.sizes]


def _requests(row):
    """Every request of a row with the lines of its answer."""
    at_once = 1 if row.kind == "stream" else min(ELEMENTS_A_REQUEST, row.elements)
    verb, lines = VERBS[row.kind], 2 if row.kind == "stream" else 1
    for index in range(row.keys):
        # Small collections differ from key to key, as far as the size of an element allows.
        start = index * row.elements % 9_000_000
        for first in range(start, start + row.elements, at_once):
            last = min(first + at_once, start + row.elements)
            words = [word for number in range(first, last) for word in _words(row, number)]
            yield wire.request(verb, wire.key(index), *words), lines


def _batches(row):
    """The fill in batches, made once for all peers."""
    batches, parts, lines = [], [], 0
    for request, answer_lines in _requests(row):
        parts.append(request)
        lines += answer_lines
        if len(parts) == REQUESTS_A_BATCH:
            batches.append((b"".join(parts), lines))
            parts, lines = [], 0
    if parts:
        batches.append((b"".join(parts), lines))
    return batches


LENGTHS = {"list": "LLEN", "set": "SCARD", "set of integers": "SCARD", "hash": "HLEN",
           "sorted set": "ZCARD", "stream": "XLEN"}


def _warm(server):
    """Makes a server take what it takes for any client: its buffers for what arrives and leaves.
    They are some megabytes in one server and none in another, and no element's."""
    batch = wire.request(b"SET", b"warm", b"x" * 7000) * REQUESTS_A_BATCH
    for _ in range(20):
        server.connection.expect_lines(batch, REQUESTS_A_BATCH)
    server.connection.call("DEL", "warm")


def _one(peer, cpus, row, batches):
    server = peer.start(peers.Setting(cpus.server))
    try:
        _warm(server)
        before, used_before = server.child.settled_rss_bytes(STILL_S), server.used_bytes()
        for number, (batch, lines) in enumerate(batches):
            server.connection.expect_lines(batch, lines)
            results.progress(f"{peer.name} {row.name()}")(number, len(batches))
        after, used_after = server.child.settled_rss_bytes(STILL_S), server.used_bytes()
        for key in (0, row.keys - 1):
            held = server.connection.call(LENGTHS[row.kind], wire.key(key))
            if held != row.elements:
                raise RuntimeError(f"{peer.name}: {row.name()}: {held} elements in key {key}")
        encoding = server.connection.call("OBJECT", "ENCODING", wire.key(0)).decode()
        return {"encoding": encoding, "rss_before": before, "rss_after": after,
                "bytes_a_key": (after - before) / row.keys,
                "bytes_an_element": (after - before) / (row.keys * row.elements),
                "accounted_bytes_an_element":
                    (used_after - used_before) / (row.keys * row.elements),
                "command": server.command_line(), "version": server.version()}
    finally:
        server.stop()


def run(options, cpus, specs, rows=tuple(ROWS)):
    found = [peers.find(spec) for spec in specs]
    stored = []
    for row in (row.at(10) if options.quick else row for row in rows):
        batches = _batches(row)
        held = {peer.name: _one(peer, cpus, row, batches) for peer in found}
        stored.append({"row": row.name(), "type": row.kind, "form": row.form, "keys": row.keys,
                       "elements_a_key": row.elements, "content_bytes": row.content_bytes(),
                       "peers": held})
        say(f"  {row.name():45} " + ", ".join(
            f"{name} {one['bytes_an_element']:.1f} ({one['bytes_a_key']:.0f} a key)"
            for name, one in held.items()))
    return {"key_bytes": wire.KEY_BYTES, "rows": stored}
