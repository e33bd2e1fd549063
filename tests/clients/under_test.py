"""The servers of this run, as run.py started them, and what several test modules ask of them."""

import redis

HOST = "127.0.0.1"
PORT = None
CLUSTER_PORT = None
CORE_PORTS = None
CORES = None
REFERENCE_PORT = None
# Where requirements.sh installed Node packages.
FOLDER = None


def empty_client(**options):
    """A client of the plain port, whose server is emptied."""
    client = redis.Redis(host=HOST, port=PORT, **options)
    client.flushall()
    return client
