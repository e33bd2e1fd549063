"""Celery: a worker process with broker and results on the server under test.

kombu, its transport, frees the lock around "restore what was not acknowledged in time" by a Lua
script, keeps queues that expire (remote control, events) by another, and Celery counts chords by a
third. Where the server has no scripts, that lock is taken beforehand, so that the worker leaves
the restoring to others, and remote control is off; each of the three must then be refused clearly.
"""

import importlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import celery
import kombu
import redis

import under_test
from under_test import wait_for

HERE = pathlib.Path(__file__).parent
CHUNK = 500
MUTEX = "unacked_mutex"
application = None


class Worker:
    """`celery worker` as its own process, until the `with` block ends."""

    def __init__(self, *words):
        self.words = words
        self.log = tempfile.TemporaryFile("w+")

    def __enter__(self):
        scripts = under_test.has_scripts()
        quiet = [] if scripts else ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-l", "INFO",
                   "-n", "tester@%h", *quiet, *self.words]
        self.process = subprocess.Popen(
            command, cwd=HERE, stdout=self.log, stderr=self.log, start_new_session=True,
            env=environment(),
        )
        wait_for(lambda: " ready." in self.said() or self.process.poll() is not None, "a worker")
        if self.process.poll() is not None:
            raise AssertionError(self.said())
        return self

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def wait_until_it_says(self, pattern):
        try:
            wait_for(lambda: re.search(pattern, self.said()), pattern)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.said()[-5000:]}") from None

    def __exit__(self, error, *_):
        if error:
            print(self.said()[-5000:])
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()


def environment():
    scripts = "yes" if under_test.has_scripts() else "no"
    return dict(
        os.environ, FREEHOLD_PORT=str(under_test.PORT), FREEHOLD_SCRIPTS=scripts,
        PYTHONDONTWRITEBYTECODE="1",
    )


def prepare():
    """The application in this process too, and an empty server."""
    global application
    os.environ.update(environment())
    application = application or importlib.import_module("celery_app")
    client = under_test.empty_client()
    if not under_test.has_scripts():
        client.set(MUTEX, "held by the test")
    return client


class CeleryWorker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = prepare()
        cls.worker = cls.enterClassContext(Worker("-P", "threads", "-c", "2"))

    @classmethod
    def tearDownClass(cls):
        cls.client.close()

    def setUp(self):
        self.app = application
        application.traces.flushdb()

    def check_all_is_acknowledged(self):
        wait_for(lambda: not self.client.exists("unacked", "unacked_index", "work"),
                 "all acknowledgements")

    def test_every_task_runs_once_and_every_result_is_right(self):
        count = under_test.CELERY_TASKS
        waiting = []
        with self.app.app.producer_or_acquire() as producer:
            for first in range(0, count, CHUNK):
                waiting += [self.app.square.apply_async((n,), producer=producer)
                            for n in range(first, min(first + CHUNK, count))]
        results = [one.get(timeout=120) for one in waiting]
        self.assertEqual(results, [n * n for n in range(count)])
        ran = sorted(int(n) for n in self.app.traces.lrange("ran", 0, -1))
        self.assertEqual(ran, list(range(count)))
        self.check_all_is_acknowledged()

    def test_groups_chains_and_starmaps(self):
        square, add = self.app.square, self.app.add
        chain = square.s(1) | add.s(10) | square.s()
        self.assertEqual(chain.apply_async().get(timeout=30), 121)
        done = celery.group(square.s(n) for n in range(50)).apply_async()
        done.save()
        restored = self.app.app.GroupResult.restore(done.id)
        self.assertEqual(restored.get(timeout=30), [n * n for n in range(50)])
        self.assertEqual(square.starmap([(2,), (3,)]).apply_async().get(timeout=30), [4, 9])
        self.assertEqual(square.chunks([(n,) for n in range(6)], 2)().get(timeout=30),
                         [[0, 1], [4, 9], [16, 25]])
        self.check_all_is_acknowledged()

    def test_errors_arrive_with_their_type(self):
        failed = self.app.refuse.delay("not today")
        with self.assertRaisesRegex(ValueError, "not today"):
            failed.get(timeout=30)
        self.assertEqual(failed.state, "FAILURE")
        self.assertIn("Traceback", failed.traceback)

    def test_retries_with_a_countdown(self):
        self.assertEqual(self.app.stubborn.delay("tries").get(timeout=30), 2)
        self.assertEqual(self.app.traces.get("tries"), b"3")
        self.check_all_is_acknowledged()

    def test_results_expire(self):
        result = self.app.add.delay(1, 2)
        self.assertEqual(result.get(timeout=30), 3)
        with redis.Redis(port=under_test.PORT, db=1) as results:
            key = f"celery-task-meta-{result.id}"
            self.assertTrue(0 < results.ttl(key) <= 600)
            result.forget()
            self.assertEqual(results.exists(key), 0)

    def test_a_broadcast_reaches_the_worker(self):
        # Remote control and events listen in the same way.
        listening = 3 if under_test.has_scripts() else 1
        wait_for(lambda: self.client.pubsub_numpat() == listening, "a worker that listens")
        everyone = kombu.Exchange("everyone", type="fanout")
        self.app.hear.apply_async(("all of you",), declare=[everyone])
        wait_for(lambda: self.app.traces.lrange("heard", 0, -1) == [b"all of you"], "a broadcast")

    def test_remote_control_works_with_scripts_and_is_refused_without(self):
        control = self.app.app.control
        if under_test.has_scripts():
            [answer] = wait_for(lambda: control.ping(timeout=2), "an answer to a ping")
            self.assertEqual(list(answer.values()), [{"ok": "pong"}])
            return
        # Not ResponseError: kombu takes it for a broken channel.
        with self.assertRaisesRegex(Exception, "unknown command 'EVALSHA'"):
            control.ping(timeout=1)


class CeleryBroker(unittest.TestCase):
    """What happens to tasks when workers come and go."""

    def setUp(self):
        self.client = prepare()
        application.traces.flushdb()

    def tearDown(self):
        self.client.close()

    def test_a_stopped_worker_gives_back_what_it_had_not_finished(self):
        with Worker("-P", "prefork", "-c", "1") as worker:
            tasks = [application.wait_for_key.delay("go") for _ in range(6)]
            wait_for(lambda: self.client.hlen("unacked") == 6, "six reserved tasks")
            worker.process.send_signal(signal.SIGQUIT)
            worker.process.wait(timeout=30)
        self.assertEqual((self.client.llen("work"), self.client.exists("unacked")), (6, 0))
        application.traces.set("go", 1)
        with Worker("-P", "solo"):
            self.assertEqual({one.get(timeout=30) for one in tasks}, {"go"})

    def test_restoring_at_start_works_with_scripts_and_is_refused_without(self):
        self.client.delete(MUTEX)
        if under_test.has_scripts():
            with Worker("-P", "solo"):
                self.assertEqual(self.client.exists(MUTEX), 0)
            return
        with self.assertRaisesRegex(AssertionError, "unknown command 'EVALSHA'"):
            with Worker("-P", "solo"):
                pass

    def test_chords_work_with_scripts_and_are_refused_without(self):
        header = [application.square.s(n) for n in range(4)]
        with Worker("-P", "solo") as worker:
            done = celery.chord(header)(application.add.s())
            if under_test.has_scripts():
                self.assertEqual(done.get(timeout=30), 0 + 1 + 4 + 9)
                return
            # The quotes are escaped where the error is shown as a literal.
            worker.wait_until_it_says(r"unknown command \\*'EVALSHA")
            self.assertFalse(done.ready())

    def test_urgent_tasks_overtake(self):
        for word, priority in (("low", 9), ("middle", 6), ("high", 0)):
            application.note.apply_async((word,), priority=priority)
        lists = ["work", "work\x06\x166", "work\x06\x169"]
        self.assertEqual([self.client.llen(name) for name in lists], [1, 1, 1])
        with Worker("-P", "solo"):
            wait_for(lambda: application.traces.llen("notes") == 3, "three notes")
        self.assertEqual(application.traces.lrange("notes", 0, -1), [b"high", b"middle", b"low"])

    def test_what_was_not_acknowledged_in_time_is_delivered_again(self):
        options = {"visibility_timeout": 0.2}
        self.client.delete(MUTEX)

        def connect():
            return kombu.Connection(under_test.url(), transport_options=options)

        with connect() as lost, connect() as janitor:
            queue = kombu.Queue("slow", channel=lost.channel())
            queue.declare()
            with lost.Producer() as producer:
                for number in range(3):
                    producer.publish({"number": number}, routing_key="slow")
            taken = [queue.get() for _ in range(3)]
            taken[0].ack()
            self.assertEqual(self.client.zcard("unacked_index"), 2)
            # Its connection stays open: closing would give them back at once.
            channel = janitor.default_channel

            def restore():
                try:
                    channel.qos.restore_visible(interval=1)
                except redis.ResponseError as error:
                    # The messages are back; it is the release of the lock that is a script.
                    self.assertFalse(under_test.has_scripts())
                    self.assertIn("unknown command 'EVALSHA'", str(error))
                    self.client.delete(MUTEX)
                return self.client.llen("slow") == 2

            wait_for(restore, "the return of two messages")
            self.assertEqual(self.client.exists("unacked", "unacked_index", MUTEX), 0)
            again = kombu.Queue("slow", channel=channel)
            back = [again.get() for _ in range(2)]
            self.assertEqual(sorted(one.payload["number"] for one in back), [1, 2])
            self.assertTrue(all(one.delivery_info["redelivered"] for one in back))
            for one in back:
                one.ack()
            self.assertIsNone(again.get())
