"""The load generators, each turning a `Load` into one finished run with its figures.

Three, because each has a blind spot: `redis-benchmark` is what everybody knows but speaks no
memcached; `freehold-loadgen` does everything, but is ours; `replay` (Python) shares no code with
anything here and finds core ports, but is the slowest.
"""

import json
import os
import re
import shutil
import sys

import peers
import process
import wire

HERE = os.path.dirname(os.path.abspath(__file__))


class Load:
    """One load: what is asked, over how many connections, how deep."""

    def __init__(self, command, connections, pipeline, keys, value=64, topology="plain"):
        self.command, self.connections, self.pipeline = command, connections, pipeline
        self.keys, self.value, self.topology = keys, value, topology


class Replay:
    name = "replay"

    def available(self):
        return True

    def serves(self, peer, load):
        return True

    def command(self, server, load, requests, cpus):
        return [sys.executable, os.path.join(HERE, "replay.py"), "--port", server.port,
                "--protocol", server.peer.protocol, "--topology", load.topology,
                "--command", load.command, "--connections", load.connections,
                "--pipeline", load.pipeline, "--requests", requests, "--keys", load.keys,
                "--value", load.value]

    def figures(self, text, requests):
        return json.loads(text)


class RedisBenchmark:
    name = "redis-benchmark"
    binary = shutil.which("redis-benchmark")

    def available(self):
        return self.binary is not None

    def serves(self, peer, load):
        return peer.protocol == "resp" and load.topology == "plain"

    def command(self, server, load, requests, cpus):
        test = "ping_mbulk" if load.command == "ping" else load.command
        return [self.binary, "-h", "127.0.0.1", "-p", server.port, "-t", test,
                "-c", load.connections, "-P", load.pipeline, "-n", requests,
                "-r", load.keys, "-d", load.value, "--precision", 3]

    def figures(self, text, requests):
        """p99.9 is the first step of its distribution at or above 99.9 % (99.902 %)."""
        rate = float(re.search(r"throughput summary: ([\d.]+)", text).group(1))
        summary = text[text.index("latency summary (msec):"):].splitlines()
        columns = dict(zip(summary[1].split(), map(float, summary[2].split())))
        steps = [(float(percent), float(ms)) for percent, ms in
                 re.findall(r"([\d.]+)% <= ([\d.]+) milliseconds \(cumulative", text)]
        p999 = next((ms for percent, ms in steps if percent >= 99.9), columns["max"])
        return {"requests": requests, "seconds": requests / rate, "rate": rate,
                "p50_us": columns["p50"] * 1000, "p99_us": columns["p99"] * 1000,
                "p999_us": p999 * 1000, "max_us": columns["max"] * 1000}


class FreeholdLoadgen:
    name = "freehold-loadgen"
    binary = os.environ.get(
        "FREEHOLD_LOADGEN", os.path.join(peers.TARGET, "release/freehold-loadgen"))

    def available(self):
        return os.access(self.binary, os.X_OK)

    def serves(self, peer, load):
        return peer.protocol == "resp" or load.command != "ping"

    def command(self, server, load, requests, cpus):
        # Polling before sleeping sharpens latencies on a CPU of its own; on a CPU the server needs
        # too it would take the server's time.
        spin_us = 0 if cpus & server.setting.cpus else 50
        protocol = "resp2" if server.peer.protocol == "resp" else "memcache"
        cluster = ["--cluster"] if load.topology == "cluster" else []
        return [self.binary, "-p", server.port, "--protocol", protocol, *cluster,
                "--command", load.command, "-c", load.connections, "-P", load.pipeline,
                "-n", requests, "--keys", load.keys, "--key-size", wire.KEY_BYTES,
                "--value-size", load.value, "--threads", 1, "--spin-us", spin_us, "--seed", 1,
                "--quiet", "--json", "-"]

    def figures(self, text, requests):
        found = json.loads(text[text.index("{"):text.rindex("}") + 1])
        phase = found["phases"][-1]
        latency = phase["latency_us"]["all"]
        if not found["ok"] or phase["misses"]:
            raise RuntimeError(f"freehold-loadgen: {phase['error_count']} errors, "
                               f"{phase['misses']} misses: {phase['errors']}")
        return {"requests": phase["requests"], "seconds": phase["seconds"],
                "rate": phase["rate"], "p50_us": latency["p50"], "p99_us": latency["p99"],
                "p999_us": latency["p99.9"], "max_us": latency["max"]}


ALL = {generator.name: generator for generator in (RedisBenchmark(), FreeholdLoadgen(), Replay())}


def chosen(names):
    """The generators named that are there; a missing one is said and left out."""
    found = []
    for name in names:
        if not ALL[name].available():
            print(f"compare: {name} is not there, its rows are left out", file=sys.stderr)
            continue
        found.append(ALL[name])
    if not found:
        raise SystemExit("compare: no load generator is there")
    return found


def _shown(command):
    """A command line without the places of this machine."""
    text = " ".join(str(part) for part in command)
    text = text.replace(sys.executable, "python3").replace(peers.TARGET, "target")
    return text.replace(peers.REPOSITORY + "/", "")


def measure_pair(generator, servers, load, requests, cpus):
    """Two generator processes at once, each with half of the load, one on each of two servers or
    both on the same; CPU and rate are sums, latencies are the worse of the two."""
    half = Load(load.command, load.connections // 2, load.pipeline, load.keys, load.value,
                load.topology)
    commands = [generator.command(server, half, requests // 2, cpus) for server in servers]
    children = {server.child for server in servers}
    before = sum(child.cpu_ns() for child in children)
    running = [process.Child(command, cpus) for command in commands]
    texts = [child.output(600) for child in running]
    spent = sum(child.cpu_ns() for child in children) - before
    both = [generator.figures(text, requests // 2) for text in texts]
    found = {field: max(one[field] for one in both)
             for field in ("seconds", "p50_us", "p99_us", "p999_us", "max_us")}
    found["requests"] = sum(one["requests"] for one in both)
    found["rate"] = found["requests"] / found["seconds"]
    found["cpu_us"] = spent / 1000 / found["requests"]
    return found, [_shown(command) for command in commands]


def measure(generator, server, load, requests, cpus):
    """One run: the generator's figures and the CPU the server spent on it."""
    command = generator.command(server, load, requests, cpus)
    user, system = server.child.user_system_ns()
    before = server.child.cpu_ns()
    text = process.run(command, cpus)
    after = server.child.cpu_ns()
    user_after, system_after = server.child.user_system_ns()
    figures = generator.figures(text, requests)
    figures["cpu_us"] = (after - before) / 1000 / figures["requests"]
    spent = (user_after - user) + (system_after - system)
    figures["user_share"] = (user_after - user) / spent if spent else None
    figures["cpu_busy"] = (after - before) / 1e9 / figures["seconds"]
    return figures, _shown(command)
