"""Sidekiq itself, from Debian, and the parts of its family that this version does by script.

Sidekiq 6.4 pops due jobs by Lua; its predecessors by ZRANGEBYSCORE and ZREM, and super_fetch of
the paid one by LMOVE. Those two are re-enacted below, in Python.
"""

import json
import os
import pathlib
import secrets
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import redis

import under_test
from under_test import wait_for

HERE = pathlib.Path(__file__).parent
JOBS = 500


def ruby(*words):
    """A command line of the Ruby that requirements.sh unpacked, and its environment."""
    tools = pathlib.Path(under_test.FOLDER) / "ruby" / "bin"
    command = [str(tools / "ruby"), *(word.replace("SIDEKIQ", str(tools / "sidekiq"))
                                      for word in words)]
    return command, dict(os.environ, REDIS_URL=under_test.url())


class Sidekiq:
    """`sidekiq` with these options as its own process, until the `with` block ends."""

    def __init__(self, *words):
        self.words = words
        self.log = tempfile.TemporaryFile("w+")

    def __enter__(self):
        command, environment = ruby("SIDEKIQ", "-r", "./sidekiq_jobs.rb", *self.words)
        self.process = subprocess.Popen(
            command, env=environment, cwd=HERE, stdout=self.log, stderr=self.log
        )
        return self

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def __exit__(self, error, *_):
        if error:
            print(self.said()[-5000:])
        self.process.kill()
        self.process.wait()
        self.log.close()


class RealSidekiq(unittest.TestCase):
    def setUp(self):
        self.client = under_test.empty_client(decode_responses=True)

    def tearDown(self):
        self.client.close()

    def enqueue(self, count):
        command, environment = ruby("sidekiq_jobs.rb", str(count))
        done = subprocess.run(
            command, env=environment, cwd=HERE, capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_jobs_queues_retries_and_statistics(self):
        said = self.enqueue(JOBS)
        self.assertEqual(said, f"default={JOBS} critical=6 enqueued={JOBS + 6} scheduled=2 "
                               "latency=true")
        self.assertEqual(self.client.smembers("queues"), {"default", "critical"})
        with Sidekiq("-q", "critical", "-q", "default", "-c", "4") as sidekiq:
            wait_for(lambda: self.client.llen("done") == JOBS, "the end of all jobs")
            self.assertEqual(sorted(map(int, self.client.lrange("done", 0, -1))),
                             list(range(JOBS)))
            self.assertEqual(sorted(self.client.lrange("urgent", 0, -1)), list("01234"))
            self.check_the_failed_job()
            self.check_due_jobs(sidekiq)
            self.check_heartbeat()
            sidekiq.stop()
            self.assertEqual(sidekiq.process.returncode, 0, sidekiq.said())
        # The last beat, at the end, counts what was done since the one before.
        later = 1 if under_test.has_scripts() else 0
        self.assertEqual(int(self.client.get("stat:processed")), JOBS + 5 + 1 + later)
        self.assertEqual(int(self.client.get("stat:failed")), 1)
        self.assertEqual(self.client.scard("processes"), 0)

    def check_the_failed_job(self):
        [(job, due)] = wait_for(lambda: self.client.zrange("retry", 0, -1, withscores=True),
                                "a job to be tried again")
        job = json.loads(job)
        self.assertEqual((job["error_class"], job["error_message"], job["retry_count"]),
                         ("ArgumentError", "not today", 0))
        self.assertGreater(due, time.time())

    def check_due_jobs(self, sidekiq):
        if under_test.has_scripts():
            wait_for(lambda: self.client.lrange("later", 0, -1) == ["now"], "a scheduled job")
            self.assertEqual(self.client.zcard("schedule"), 1)
            return
        # The poller says what is missing and goes on; nothing is lost.
        wait_for(lambda: "unknown command 'script'" in sidekiq.said(), "the poller's complaint")
        self.assertEqual(self.client.zcard("schedule"), 2)

    def check_heartbeat(self):
        [name] = wait_for(lambda: self.client.smembers("processes"), "a process")
        self.assertTrue(0 < self.client.ttl(name) <= 60)
        info = json.loads(self.client.hget(name, "info"))
        self.assertEqual((info["concurrency"], info["queues"]), (4, ["critical", "default"]))

    def test_a_stopped_process_puts_unfinished_jobs_back(self):
        job = {"class": "Sleep", "args": [60], "jid": secrets.token_hex(12), "retry": True,
               "queue": "slow", "created_at": time.time(), "enqueued_at": time.time()}
        self.client.lpush("queue:slow", json.dumps(job))
        with Sidekiq("-q", "slow", "-c", "1", "-t", "1") as sidekiq:
            wait_for(lambda: self.client.get("sleepers") == "1", "a job that runs")
            self.assertEqual(self.client.llen("queue:slow"), 0)
            sidekiq.stop()
        [back] = self.client.lrange("queue:slow", 0, -1)
        self.assertEqual(json.loads(back)["jid"], job["jid"])


class Consumer(threading.Thread):
    """A processor and a poller in one: takes jobs until it finds one that says stop."""

    def __init__(self, name, queues):
        super().__init__(name=name)
        self.client = redis.Redis(port=under_test.PORT, decode_responses=True)
        self.queues = queues
        self.done = []

    def run(self):
        while True:
            taken = self.client.brpop(self.queues, timeout=2)
            job = json.loads(taken[1]) if taken else {"class": "Stop"}
            if job["class"] == "Stop":
                self.client.close()
                return
            self.done.append((taken[0], job["jid"]))
            pipe = self.client.pipeline(transaction=True)
            pipe.incrby("stat:processed", 1)
            pipe.hset(self.name, mapping={"busy": 0, "beat": time.time()})
            pipe.expire(self.name, 60)
            pipe.execute()


def push_what_is_due(moved):
    """One round of the poller of Sidekiq 5: whoever removes a job may push it."""
    with redis.Redis(port=under_test.PORT, decode_responses=True) as client:
        while found := client.zrangebyscore("schedule", "-inf", time.time(), 0, 1):
            if client.zrem("schedule", found[0]):
                job = json.loads(found[0])
                client.lpush(f"queue:{job['queue']}", found[0])
                moved.append(job["jid"])


class SidekiqFamily(unittest.TestCase):
    def setUp(self):
        self.client = under_test.empty_client(decode_responses=True)

    def tearDown(self):
        self.client.close()

    def push(self, queue, count, kind="Work", at=None):
        jobs = [json.dumps({"class": kind, "queue": queue, "jid": secrets.token_hex(12)})
                for _ in range(count)]
        with self.client.pipeline(transaction=True) as pipe:
            if at:
                pipe.zadd("schedule", {job: at + number / 1000
                                       for number, job in enumerate(jobs)})
            else:
                pipe.sadd("queues", queue)
                pipe.lpush(f"queue:{queue}", *jobs)
            pipe.execute()
        return [json.loads(job)["jid"] for job in jobs]

    def test_waiting_consumers_take_each_job_once(self):
        queues = ["queue:critical", "queue:default", "queue:low"]
        consumers = [Consumer(f"consumer:{number}", queues) for number in range(4)]
        for consumer in consumers:
            consumer.start()
        jobs = [jid for queue in ("low", "default", "critical") for jid in self.push(queue, 200)]
        wait_for(lambda: self.client.get("stat:processed") == "600", "600 jobs")
        self.push("critical", 4, kind="Stop")
        for consumer in consumers:
            consumer.join(30)
        done = [jid for consumer in consumers for _, jid in consumer.done]
        self.assertEqual(sorted(done), sorted(jobs))
        self.assertTrue(all(0 < self.client.ttl(one.name) <= 60 for one in consumers if one.done))

    def test_the_first_queue_named_is_served_first_and_each_in_order(self):
        low, high = self.push("low", 3), self.push("high", 3)
        taken = [self.client.brpop(["queue:high", "queue:low"], timeout=1) for _ in range(6)]
        self.assertEqual([json.loads(job)["jid"] for _, job in taken], high + low)
        start = time.monotonic()
        self.assertIsNone(self.client.brpop(["queue:high", "queue:low"], timeout=1))
        self.assertTrue(0.9 < time.monotonic() - start < 5)

    def test_pollers_side_by_side_move_each_due_job_once(self):
        due = self.push("default", 200, at=time.time() - 10)
        self.push("default", 3, at=time.time() + 3600)
        moved = [[] for _ in range(4)]
        threads = [threading.Thread(target=push_what_is_due, args=(one,)) for one in moved]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(jid for one in moved for jid in one), sorted(due))
        self.assertEqual((self.client.llen("queue:default"), self.client.zcard("schedule")),
                         (200, 3))

    def test_super_fetch_recovers_the_jobs_of_a_dead_process(self):
        jobs = self.push("default", 10)
        private = "queue:sq|dead-host|default"
        self.client.set("process:living-host", "1", ex=60)
        for _ in range(4):
            self.client.blmove("queue:default", private, 1, "RIGHT", "LEFT")
        self.client.lrem(private, -1, self.client.lindex(private, -1))  # one was done
        orphans = []
        for key in self.client.scan_iter(match="queue:sq|*", count=100):
            host = key.split("|")[1]
            while not self.client.exists(f"process:{host}"):
                job = self.client.lmove(key, "queue:default", "RIGHT", "LEFT")
                if job is None:
                    break
                orphans.append(json.loads(job)["jid"])
        self.assertEqual(orphans, jobs[1:4])
        rest = [json.loads(job)["jid"] for job in self.client.lrange("queue:default", 0, -1)]
        self.assertEqual(sorted(rest), sorted(jobs[1:]))
        self.assertEqual(self.client.exists(private), 0)
