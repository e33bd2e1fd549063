"""Client libraries, tools and the software on top of them against live servers.

    run.py --folder FOLDER --freehold BINARY --cores N
    run.py --folder FOLDER --control redis-server

Two Freehold servers are started, one plain and one as a cluster of cores, and a redis-server to
compare with. With --control the tests are tested: redis-server stands in for all three, and every
promise must hold there too. Names of modules or Module.Class.test choose what runs. Ends with one
line `clients: N passed, N failed`, and with failure if any failed.
"""

import argparse
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import server
import under_test

HERE = pathlib.Path(__file__).parent
PYTHON = ["redis_py", "tools", "django_cache", "rq_jobs", "spring_sessions", "sidekiq_queue",
          "celery_tasks"]
NODE = ["node_clients", "node_queues"]


class Timed(unittest.TextTestResult):
    """Says how long each test took where that is much."""

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        if (took := time.monotonic() - self.started) > 3:
            self.stream.writeln(f" {took:.1f} s {test.id()}")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True, help="where Node packages and Ruby are")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--freehold", metavar="BINARY")
    kind.add_argument("--control", metavar="REDIS_SERVER")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("names", nargs="*")
    return parser.parse_args()


def start(options, stack):
    """The plain server and the cluster; the reference is started on the way."""
    reference = os.environ.get("REDIS_SERVER", "redis-server")
    under_test.REFERENCE_PORT = stack.enter_context(server.redis_server(reference)).port
    # Each is started before the next looks for free ports.
    if options.control:
        plain = stack.enter_context(server.redis_server(options.control))
        cluster = stack.enter_context(server.redis_cluster(options.control))
    else:
        words = ["--cluster-enabled", "yes", "--cluster-view", "core"]
        plain = stack.enter_context(server.freehold(options.freehold, options.cores))
        cluster = stack.enter_context(server.freehold(options.freehold, options.cores, *words))
    under_test.PORT = plain.port
    under_test.CORE_PORTS = cluster.core_ports
    under_test.CLUSTER_PORT = cluster.core_ports[0]
    under_test.CORES = options.cores
    under_test.FOLDER = options.folder
    if options.cores == 1 and not options.control:
        under_test.CELERY_TASKS = 1_000
    return plain, cluster


def python(names):
    """Runs Python tests; answers how many passed and failed."""
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=1, resultclass=Timed)
    result = runner.run(suite)
    bad = len(result.failures) + len(result.errors)
    return result.testsRun - bad - len(result.skipped), bad


def node(name):
    """Runs one file of Node tests; answers how many passed and failed."""
    environment = dict(
        os.environ, CLIENTS_FOLDER=under_test.FOLDER, FREEHOLD_PORT=str(under_test.PORT),
        FREEHOLD_CLUSTER_PORT=str(under_test.CLUSTER_PORT), FREEHOLD_CORES=str(under_test.CORES),
    )
    command = ["node", "--test", "--test-reporter=tap", str(HERE / f"{name}.mjs")]
    # `timeout` sends the signal on which node still says what it knows.
    done = subprocess.run(
        ["timeout", "-s", "INT", "60", *command], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )
    passed, failed = (re.search(rf"^# {word} (\d+)", done.stdout, re.M) for word in
                      ("pass", "fail"))
    counts = (int(passed[1]), int(failed[1])) if passed and failed else (0, 1)
    if done.returncode != 0 or counts[1]:
        print(done.stdout)
        counts = (counts[0], max(1, counts[1]))
    return counts


def main():
    options = arguments()
    # Whoever ends this run before its time ends its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    names = options.names or PYTHON + NODE
    parts = {"Python": [name for name in names if name not in NODE]}
    parts |= {name: None for name in names if name in NODE}
    passed = failed = 0
    with contextlib.ExitStack() as stack:
        servers = start(options, stack)
        for name, tests in parts.items():
            if tests == []:
                continue
            good, bad = python(tests) if tests else node(name)
            print(f"{name}: {good} passed, {bad} failed")
            passed, failed = passed + good, failed + bad
        if failed:
            print(*(one.said() for one in servers))
    print(f"clients: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
