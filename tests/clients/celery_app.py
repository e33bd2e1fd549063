"""The Celery application of celery_tasks.py, as its worker process imports it.

FREEHOLD_PORT says where broker (database 0) and results (database 1) are.
"""

import os
import time

import redis
from celery import Celery
from kombu import Queue
from kombu.common import Broadcast

PORT = int(os.environ["FREEHOLD_PORT"])
app = Celery(
    "celery_app", broker=f"redis://127.0.0.1:{PORT}/0", backend=f"redis://127.0.0.1:{PORT}/1"
)
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=16,
    task_default_queue="work",
    task_queues=(Queue("work"), Broadcast("everyone")),
    task_routes={"celery_app.hear": {"queue": "everyone"}},
    broker_transport_options={"visibility_timeout": 600, "queue_order_strategy": "priority"},
    # Queues of remote control expire, which kombu keeps up by a script.
    worker_enable_remote_control=os.environ.get("FREEHOLD_SCRIPTS") == "yes",
    broker_connection_retry_on_startup=True,
    result_expires=600,
)
# Where tasks leave their traces, apart from what Celery itself keeps.
traces = redis.Redis(port=PORT, db=2)


@app.task
def square(number):
    traces.rpush("ran", number)
    return number * number


@app.task
def add(*numbers):
    return sum(numbers[0]) if isinstance(numbers[0], list) else sum(numbers)


@app.task
def refuse(reason):
    raise ValueError(reason)


@app.task(bind=True, max_retries=3)
def stubborn(self, key):
    if traces.incr(key) < 3:
        raise self.retry(countdown=0.05)
    return self.request.retries


@app.task
def note(word):
    traces.rpush("notes", word)


@app.task(ignore_result=True)
def hear(word):
    traces.rpush("heard", word)


@app.task
def wait_for_key(key):
    deadline = time.monotonic() + 30
    while not traces.exists(key) and time.monotonic() < deadline:
        time.sleep(0.02)
    return key
