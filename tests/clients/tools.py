"""redis-cli and redis-benchmark, the tools everybody has at hand."""

import os
import pathlib
import re
import subprocess
import unittest

import under_test

HERE = pathlib.Path(__file__).parent
CLI = os.environ.get("REDIS_CLI", "redis-cli")
BENCHMARK = os.environ.get("REDIS_BENCHMARK", "redis-benchmark")
TESTS = "ping_inline,ping_mbulk,set,get,incr,mset"


def run(*words, given="", limit=60):
    """Both streams of a tool that must succeed."""
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=limit)
    if done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def cli(*words, port=None, given=""):
    return run(CLI, "-p", str(port or under_test.PORT), *words, given=given)


class RedisCli(unittest.TestCase):
    def compare_sessions(self, *options):
        session = (HERE / "session.txt").read_text()
        theirs = cli(*options, port=under_test.REFERENCE_PORT, given=session)
        ours = cli(*options, given=session)
        self.assertEqual(ours, theirs)

    def test_a_session_reads_as_with_redis_server(self):
        self.compare_sessions("--no-raw")

    def test_a_session_in_resp3_reads_as_with_redis_server(self):
        self.compare_sessions("-3", "--no-raw")

    def test_scripts_of_the_shell(self):
        cli("FLUSHALL")
        self.assertEqual(cli("-x", "SET", "from-stdin", given="text"), "OK\n")
        self.assertEqual(cli("-r", "5", "INCR", "n"), "1\n2\n3\n4\n5\n")
        self.assertEqual(cli("--json", "-3", "MGET", "n", "x"), '["5",null]\n')
        self.assertIn("redis_version:", cli("INFO", "server"))

    def test_bulk_loading(self):
        cli("FLUSHALL")
        lines = "".join(f"SET key:{number} {number}\r\n" for number in range(5000))
        self.assertIn("errors: 0, replies: 5000", cli("--pipe", given=lines))
        self.assertEqual(cli("DBSIZE"), "5000\n")

    def test_walks_over_all_keys(self):
        cli("FLUSHALL")
        for number in range(50):
            cli("SET", f"key:{number}", "v" * number)
        self.assertEqual(len(cli("--scan").split()), 50)
        self.assertEqual(len(cli("--scan", "--pattern", "key:1*").split()), 11)
        self.assertIn("Sampled 50 keys", cli("--bigkeys"))
        self.assertIn("Sampled 50 keys", cli("--memkeys"))

    def test_cluster_mode_follows_redirections(self):
        for number in range(40):
            said = cli("-c", "SET", f"r{number}", "v", port=under_test.CORE_PORTS[0])
            self.assertTrue(said.endswith("OK\n"), said)
            self.assertEqual(cli("-c", "GET", f"r{number}", port=under_test.CORE_PORTS[-1]), "v\n")

    def test_cluster_check(self):
        said = run(CLI, "--cluster", "check", f"127.0.0.1:{under_test.CORE_PORTS[0]}")
        self.assertIn("[OK] All 16384 slots covered", said)

    def test_every_command_has_help(self):
        # What the interactive prompt asks for its hints.
        self.assertIn("summary", cli("COMMAND", "DOCS", "set"))


class RedisBenchmark(unittest.TestCase):
    def bench(self, *words, count=6):
        said = run(BENCHMARK, "-q", "-n", "20000", "-r", "1000", "-t", TESTS, *words, limit=120)
        rates = re.findall(r"([\d.]+) requests per second", said)
        self.assertEqual(len(rates), count, said)
        self.assertTrue(all(float(rate) > 0 for rate in rates), said)
        self.assertNotIn("ERR", said)
        self.assertNotIn("Error", said)

    def test_without_pipeline(self):
        self.bench("-p", str(under_test.PORT), "-c", "20")

    def test_with_pipeline(self):
        self.bench("-p", str(under_test.PORT), "-c", "20", "-P", "16", "-d", "100")

    def test_in_resp3(self):
        self.bench("-p", str(under_test.PORT), "-c", "20", "-3")

    def test_over_core_ports(self):
        if len(under_test.CORE_PORTS) == 1:
            self.skipTest("redis-benchmark takes one node for no cluster")
        self.bench("-p", str(under_test.CLUSTER_PORT), "-c", "20", "-P", "4", "--cluster")
