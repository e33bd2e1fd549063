"""Client libraries and tools against live servers: `run.py BINARY CORES NODE_FOLDER`.

Two Freehold servers are started, one plain and one as a cluster of cores, and a redis-server to
compare with. Ends with one line `clients: N passed, N failed`, and with failure if any failed.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

import redis_py
import server
import tools

HERE = pathlib.Path(__file__).parent


def node(port, cluster_port, cores, folder):
    """Runs the Node clients; answers how many tests passed and failed."""
    environment = dict(
        os.environ, CLIENTS_FOLDER=folder, FREEHOLD_PORT=str(port),
        FREEHOLD_CLUSTER_PORT=str(cluster_port), FREEHOLD_CORES=str(cores),
    )
    command = ["node", "--test", "--test-reporter=tap", str(HERE / "node_clients.mjs")]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    passed, failed = (re.search(rf"^# {word} (\d+)", done.stdout, re.M) for word in
                      ("pass", "fail"))
    counts = (int(passed[1]), int(failed[1])) if passed and failed else (0, 1)
    if done.returncode != 0 or counts[1]:
        print(done.stdout, done.stderr)
        counts = (counts[0], max(1, counts[1]))
    return counts


def main():
    binary, cores, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with (
        server.freehold(binary, cores) as plain,
        server.freehold(binary, cores, "--cluster-enabled", "yes", "--cluster-view", "core")
            as cluster,
        server.redis(os.environ.get("REDIS_SERVER", "redis-server")) as reference,
    ):
        redis_py.PORT = tools.PORT = plain.port
        redis_py.CLUSTER_PORT = cluster.core_ports[0]
        tools.CLUSTER_PORT = cluster.core_ports[0]
        tools.CORE_PORTS = cluster.core_ports
        tools.REFERENCE_PORT = reference.port
        redis_py.CORES = cores
        loader = unittest.defaultTestLoader
        suite = unittest.TestSuite(loader.loadTestsFromModule(m) for m in (redis_py, tools))
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
        bad = len(result.failures) + len(result.errors)
        passed, failed = node(plain.port, cluster.core_ports[0], cores, folder)
        if bad + failed:
            print(plain.said(), cluster.said())
    print(f"clients: {result.testsRun - bad + passed} passed, {bad + failed} failed")
    return 1 if bad + failed else 0


if __name__ == "__main__":
    sys.exit(main())
