"""A load generator that replays prepared batches and counts answers by their length.

It speaks RESP and memcached text, so it is the one generator all four peers can meet, and it goes
straight to the owner of a key when the server advertises core ports. Everything expensive (choosing
keys, building requests) happens before the clock starts. Its own cost per batch is higher than
that of a generator in C or Rust, so its latencies compare servers but are not the servers' own.

Prints one JSON object.
"""

import argparse
import array
import binascii
import json
import random
import select
import socket
import time

import wire

REQUESTS_PREPARED_MAX = 600_000
SILENCE_MAX_S = 5.0


def _slot(key):
    return binascii.crc_hqx(key, 0) & 16383


def _endpoints(port, topology):
    """[(port, first slot, last slot)]: one entry for a plain port, one a core for core ports."""
    if topology == "plain":
        return [(port, 0, 16383)]
    connection = wire.Connection(port)
    found = [(row[2][1], row[0], row[1]) for row in connection.call("CLUSTER", "SLOTS")]
    connection.close()
    return found


class Work:
    """The batches for one endpoint, and how long each answer is."""

    def __init__(self, args, rng, ranges):
        protocol, size = args.protocol, args.value
        keys = None
        if args.command != "ping":
            keys = self._choose(rng, args.keys, ranges)
        count = max(min(args.requests, REQUESTS_PREPARED_MAX) // args.pipeline, 64)
        if protocol == "memcached" and args.command == "get":
            self._multi_get(args, keys, count)
        else:
            one, answer_bytes = self._shape(protocol, args.command, size)
            self.batches = [b"".join(one(next(keys) if keys else 0) for _ in range(args.pipeline))
                            for _ in range(count)]
            self.answer_bytes = answer_bytes * args.pipeline
        self.next = 0

    def _multi_get(self, args, keys, count):
        """memcached sends an answer per command, so its clients batch reads in one `get`."""
        self.batches = [
            b"get %b\r\n" % b" ".join(wire.key(next(keys)) for _ in range(args.pipeline))
            for _ in range(count)]
        one = len(b"VALUE %b 0 %d\r\n" % (wire.key(0), args.value)) + args.value + len(b"\r\n")
        self.answer_bytes = one * args.pipeline + len(b"END\r\n")

    @staticmethod
    def _choose(rng, count, ranges):
        """Random keys whose slot lies in one of `ranges`."""
        everything = ranges == [(0, 16383)]
        while True:
            index = rng.randrange(count)
            if everything or any(a <= _slot(wire.key(index)) <= b for a, b in ranges):
                yield index

    @staticmethod
    def _shape(protocol, command, size):
        resp = protocol == "resp"
        if command == "ping":
            batch = b"*1\r\n$4\r\nPING\r\n" if resp else b"mn\r\n"
            return (lambda _: batch), len(b"+PONG\r\n" if resp else b"MN\r\n")
        if command == "set":
            return (lambda i: wire.set_one(protocol, i, size, 0)), len(wire.stored(protocol))
        answer = len(b"$%d\r\n" % size) + size + 2
        return (lambda i: b"*2\r\n$3\r\nGET\r\n$16\r\n%b\r\n" % wire.key(i)), answer

    def take(self):
        batch = self.batches[self.next]
        self.next = (self.next + 1) % len(self.batches)
        return batch


class Client:
    """One connection with at most one batch in flight."""

    def __init__(self, port, work):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.work = work
        self.missing = 0
        self.sent_ns = 0

    def send(self):
        self.missing = self.work.answer_bytes
        self.sent_ns = time.perf_counter_ns()
        self.socket.sendall(self.work.take())


def _drive(clients, batches_total):
    """Closed loop until `batches_total` are answered; returns seconds and latencies in ns."""
    poll = select.epoll()
    by_fd = {client.socket.fileno(): client for client in clients}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    latencies = array.array("Q")
    buffer = bytearray(1 << 18)
    left = batches_total
    started = time.perf_counter_ns()
    for client in clients[:left]:
        client.send()
        left -= 1
    while len(latencies) < batches_total:
        ready = poll.poll(SILENCE_MAX_S)
        if not ready:
            raise SystemExit("replay: the server fell silent: a shorter answer than expected "
                             "(is every key loaded?)")
        for fd, _ in ready:
            client = by_fd[fd]
            got = client.socket.recv_into(buffer)
            client.missing -= got
            if got == 0 or client.missing < 0 or buffer[0] == ord("-"):
                raise SystemExit(f"replay: unexpected answer {bytes(buffer[:got][:120])!r}")
            if client.missing == 0:
                latencies.append(time.perf_counter_ns() - client.sent_ns)
                if left > 0:
                    left -= 1
                    client.send()
    return (time.perf_counter_ns() - started) / 1e9, latencies


def _percentile_us(ordered, fraction):
    return ordered[min(int(len(ordered) * fraction), len(ordered) - 1)] / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--protocol", choices=["resp", "memcached"], default="resp")
    parser.add_argument("--topology", choices=["plain", "cluster"], default="plain")
    parser.add_argument("--command", choices=["ping", "get", "set"], required=True)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--pipeline", type=int, default=1)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--value", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    rng = random.Random(args.seed)
    by_port = {}
    for port, first, last in _endpoints(args.port, args.topology):
        by_port.setdefault(port, []).append((first, last))
    works = [(port, Work(args, rng, ranges)) for port, ranges in by_port.items()]
    clients = [Client(*works[i % len(works)]) for i in range(args.connections)]
    seconds, latencies = _drive(clients, max(args.requests // args.pipeline, 1))
    ordered = sorted(latencies)
    requests = len(ordered) * args.pipeline
    print(json.dumps({
        "requests": requests, "seconds": seconds, "rate": requests / seconds,
        "p50_us": _percentile_us(ordered, 0.50), "p99_us": _percentile_us(ordered, 0.99),
        "p999_us": _percentile_us(ordered, 0.999), "max_us": ordered[-1] / 1000}))


if __name__ == "__main__":
    main()
