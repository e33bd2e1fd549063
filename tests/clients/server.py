"""A server for the client tests: started on free ports, known to be ready by its own word."""

import contextlib
import re
import socket
import subprocess
import tempfile
import time

import redis

READY = "Ready to accept connections"


def free_ports(count):
    """The first of `count` neighbouring ports that nobody listens on."""
    for first in range(32000, 12000, -count - 3):
        probes = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                probes.append(probe)
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise SystemExit("no free ports")


class Server:
    """Runs until the `with` block ends."""

    def __init__(self, command, port):
        self.command = command
        self.port = port
        self.folder = tempfile.TemporaryDirectory(prefix="freehold-clients-")

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.command, stdout=self.log, stderr=self.log, cwd=self.folder.name
        )
        deadline = time.monotonic() + 30
        while READY not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self.command[0]} did not start:\n{self.said()}")
            time.sleep(0.01)
        found = re.search(r"core-ports=([\d,]+)", self.said())
        self.core_ports = [int(port) for port in found[1].split(",")] if found else []
        return self

    def said(self):
        """The log so far."""
        self.log.seek(0)
        return self.log.read()

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()


def freehold(binary, cores, *words):
    """Freehold with this many cores and one core port each."""
    port = free_ports(1 + cores)
    command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--cores", str(cores)]
    command += ["--core-port-base", str(port + 1), *words]
    return Server(command, port)


def redis_server(binary, *words):
    """Debian's redis-server, the reference."""
    port = free_ports(1)
    command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", "", *words]
    return Server(command, port)


@contextlib.contextmanager
def redis_cluster(binary):
    """A redis-server that owns every slot of a cluster: one node, as Freehold with one core."""
    # A node that has met no other does not know its own address, and some clients ask for it.
    announced = ["--cluster-announce-ip", "127.0.0.1"]
    with redis_server(binary, "--cluster-enabled", "yes", *announced) as one:
        one.core_ports = [one.port]
        with redis.Redis(port=one.port) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            deadline = time.monotonic() + 30
            while client.cluster("INFO")["cluster_state"] != "ok":
                if time.monotonic() > deadline:
                    raise SystemExit(f"the cluster did not form:\n{one.said()}")
                time.sleep(0.01)
        yield one
