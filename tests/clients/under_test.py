"""The servers of this run, as run.py started them, and what several test modules ask of them."""

import time

import redis

HOST = "127.0.0.1"
PORT = None
CLUSTER_PORT = None
CORE_PORTS = None
CORES = None
REFERENCE_PORT = None
# Where requirements.sh installed Node packages and Ruby.
FOLDER = None
# Tasks for Celery: all it is promised on several cores, fewer where one core does everything.
CELERY_TASKS = 10_000


def url(database=0):
    return f"redis://{HOST}:{PORT}/{database}"


def empty_client(**options):
    """A client of the plain port, whose server is emptied."""
    client = redis.Redis(host=HOST, port=PORT, **options)
    client.flushall()
    return client


def has_scripts():
    """Whether the server runs Lua. What needs it must work then, and be refused clearly if not."""
    with redis.Redis(host=HOST, port=PORT, decode_responses=True) as client:
        return "evalsha" in client.command_list()


def wait_for(condition, what, seconds=30):
    """The first true answer of `condition`; polls, so that no test sleeps longer than it must."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{seconds} s have passed without {what}")
        time.sleep(0.01)
