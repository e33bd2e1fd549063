"""RQ: queues, workers in this process and in one of their own, and what it keeps Lua scripts for.

Its unique jobs, rate limits, scheduler lock and Queue.empty are scripts.
"""

import datetime
import pathlib
import signal
import subprocess
import sys
import unittest

import redis
from rq import Queue, Retry, SimpleWorker
from rq.job import Job, JobStatus
from rq.registry import (
    FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry, StartedJobRegistry,
)
from rq.scheduler import RQScheduler
from rq.worker import Worker

import under_test
from under_test import wait_for

HERE = pathlib.Path(__file__).parent


def double(number):
    return number * 2


def refuse(reason):
    raise ValueError(reason)


def try_and_refuse(word):
    remember(word)
    raise ValueError(word)


def remember(word):
    with redis.Redis(port=under_test.PORT) as client:
        client.rpush("remembered", word)


class Rq(unittest.TestCase):
    def setUp(self):
        self.client = under_test.empty_client()
        self.queue = Queue("default", connection=self.client)

    def tearDown(self):
        self.client.close()

    def burst(self, *queues):
        """Works in this process until the queues are empty."""
        worker = SimpleWorker(list(queues) or [self.queue], connection=self.client)
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            worker.work(burst=True, logging_level="CRITICAL")
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def test_jobs_are_done_and_results_kept(self):
        jobs = [self.queue.enqueue(double, number, result_ttl=60) for number in range(50)]
        self.assertEqual(self.queue.count, 50)
        self.burst()
        self.assertEqual([job.return_value() for job in jobs], [2 * n for n in range(50)])
        self.assertEqual(self.queue.count, 0)
        self.assertEqual(FinishedJobRegistry(queue=self.queue).count, 50)
        self.assertEqual(StartedJobRegistry(queue=self.queue).count, 0)
        self.assertTrue(0 < self.client.ttl(jobs[0].key) <= 60)

    def test_failed_jobs_are_kept_with_their_reason_and_can_run_again(self):
        job = self.queue.enqueue(refuse, "not today")
        self.burst()
        failed = FailedJobRegistry(queue=self.queue)
        self.assertEqual(failed.get_job_ids(), [job.id])
        self.assertEqual(job.get_status(), JobStatus.FAILED)
        self.assertIn("ValueError: not today", job.latest_result().exc_string)
        failed.requeue(job.id)
        self.assertEqual((failed.count, self.queue.count), (0, 1))
        self.burst()
        self.assertEqual(failed.get_job_ids(), [job.id])

    def test_retries_are_counted(self):
        job = self.queue.enqueue(try_and_refuse, "again", retry=Retry(max=3))
        self.burst()
        job.refresh()
        self.assertEqual(job.retries_left, 0)
        self.assertEqual(self.client.lrange("remembered", 0, -1), [b"again"] * 4)
        self.assertIn(job.id, FailedJobRegistry(queue=self.queue))

    def test_a_dependent_job_waits_for_the_other(self):
        first = self.queue.enqueue(remember, "first")
        second = self.queue.enqueue(remember, "second", depends_on=first)
        self.assertEqual(second.get_status(), JobStatus.DEFERRED)
        self.burst()
        self.assertEqual(self.client.lrange("remembered", 0, -1), [b"first", b"second"])
        self.assertEqual(second.get_status(), JobStatus.FINISHED)

    def test_queues_are_served_in_their_order(self):
        high = Queue("high", connection=self.client)
        self.queue.enqueue_many([Queue.prepare_data(remember, ("low",)) for _ in range(3)])
        high.enqueue_many([Queue.prepare_data(remember, ("high",)) for _ in range(3)])
        self.burst(high, self.queue)
        said = self.client.lrange("remembered", 0, -1)
        self.assertEqual(said, [b"high"] * 3 + [b"low"] * 3)

    def test_jobs_are_cancelled_deleted_and_put_in_front(self):
        jobs = [self.queue.enqueue(remember, str(number)) for number in range(4)]
        front = self.queue.enqueue(remember, "front", at_front=True)
        jobs[1].cancel()
        jobs[2].delete()
        self.assertEqual(self.queue.job_ids, [front.id, jobs[0].id, jobs[3].id])
        self.burst()
        self.assertEqual(self.client.lrange("remembered", 0, -1), [b"front", b"0", b"3"])
        self.assertFalse(Job.exists(jobs[2].id, connection=self.client))

    def test_a_job_for_later_is_kept_by_its_time(self):
        job = self.queue.enqueue_in(datetime.timedelta(hours=1), double, 1)
        scheduled = ScheduledJobRegistry(queue=self.queue)
        self.assertEqual(scheduled.get_job_ids(), [job.id])
        self.assertEqual(scheduled.get_jobs_to_schedule(), [])
        self.assertEqual(self.queue.count, 0)

    def test_a_worker_process_waits_for_jobs_and_can_be_stopped(self):
        command = [sys.executable, "-m", "rq.cli", "worker", "default", "--url", under_test.url()]
        process = subprocess.Popen(
            command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            # It blocks on the empty queue before there is work, and forks for each job.
            worker = wait_for(lambda: Worker.all(connection=self.client), "a worker")[0]
            jobs = [self.queue.enqueue("rq_jobs.double", number) for number in range(5)]
            wait_for(lambda: all(job.is_finished for job in jobs), "the end of all jobs")
            self.assertEqual([job.return_value() for job in jobs], [0, 2, 4, 6, 8])
            worker.refresh()
            self.assertEqual(worker.successful_job_count, 5)
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual(Worker.all(connection=self.client), [])

    def test_what_needs_scripts_works_with_them_and_is_refused_without(self):
        scheduler = RQScheduler([self.queue], connection=self.client)
        self.queue.enqueue(double, 1)
        needs = {
            "Queue.empty": lambda: self.assertEqual(self.queue.empty(), 1),
            "unique": lambda: self.queue.enqueue(double, 1, job_id="only", unique=True),
            "scheduler": lambda: self.assertEqual(scheduler.acquire_locks(), {"default"}),
        }
        for name, need in needs.items():
            with self.subTest(name):
                if under_test.has_scripts():
                    need()
                else:
                    with self.assertRaisesRegex(redis.ResponseError, "unknown command 'EVAL"):
                        need()
