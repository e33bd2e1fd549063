"""A server for the client tests: started on free ports, known to be ready by its own word."""

import re
import socket
import subprocess
import tempfile
import time

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


def redis(binary="redis-server"):
    """Debian's redis-server, the reference."""
    port = free_ports(1)
    command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    return Server(command, port)
