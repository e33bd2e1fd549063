"""Spring Session's indexed repository, re-enacted: the commands its sources send, and the events
of expired and deleted keys it lives on. A session is a hash; beside it stands an empty key that
expires when the session does, five minutes before the hash, so that a listener can still read it;
sets by the minute let a janitor touch what is due; an index finds the sessions of a user.
"""

import time
import unittest
import uuid

import under_test
from under_test import wait_for

SPACE = "spring:session:"
AFTERLIFE_S = 300
# What an event may take. Redis promises nothing: its sweep finds a key within about a second.
PROMPT_S = 5.0


class Sessions:
    """RedisIndexedSessionRepository, as far as the server sees it."""

    def __init__(self, client):
        self.client = client

    def create(self, user, idle_ms):
        name = str(uuid.uuid4())
        key = f"{SPACE}sessions:{name}"
        expires_at = int(time.time() * 1000) + idle_ms
        minute = (expires_at // 60_000 + 1) * 60_000
        pipe = self.client.pipeline(transaction=False)
        pipe.execute_command("HMSET", key, "creationTime", expires_at - idle_ms,
                             "maxInactiveInterval", idle_ms // 1000, "sessionAttr:user", user)
        pipe.sadd(f"{SPACE}expirations:{minute}", f"expires:{name}")
        pipe.expire(f"{SPACE}expirations:{minute}", idle_ms // 1000 + AFTERLIFE_S)
        # APPEND of nothing makes an empty key where there is none, and changes nothing where it is.
        pipe.append(f"{SPACE}sessions:expires:{name}", "")
        pipe.pexpire(f"{SPACE}sessions:expires:{name}", idle_ms)
        pipe.expire(key, idle_ms // 1000 + AFTERLIFE_S)
        pipe.sadd(f"{SPACE}index:{user}", name)
        pipe.publish(f"{SPACE}event:0:created:{name}", user)
        pipe.execute()
        return name

    def load(self, name):
        return self.client.hgetall(f"{SPACE}sessions:{name}")

    def touch(self, name, idle_ms):
        pipe = self.client.pipeline(transaction=False)
        pipe.execute_command("HMSET", f"{SPACE}sessions:{name}", "lastAccessedTime", 1)
        pipe.pexpire(f"{SPACE}sessions:expires:{name}", idle_ms)
        pipe.execute()

    def rename(self, old, new):
        for kind in ("", "expires:"):
            self.client.rename(f"{SPACE}sessions:{kind}{old}", f"{SPACE}sessions:{kind}{new}")

    def delete(self, name):
        self.client.delete(f"{SPACE}sessions:expires:{name}")

    def clean_up(self, user, name):
        pipe = self.client.pipeline(transaction=False)
        pipe.srem(f"{SPACE}index:{user}", name)
        pipe.delete(f"{SPACE}sessions:{name}")
        pipe.execute()


class SpringSession(unittest.TestCase):
    def setUp(self):
        self.client = under_test.empty_client(decode_responses=True)
        self.before = self.client.config_get("notify-keyspace-events")
        # What ConfigureNotifyKeyspaceEventsAction does at start.
        self.client.config_set("notify-keyspace-events", "Egx")
        self.sessions = Sessions(self.client)
        self.listener = self.client.pubsub()
        self.listener.psubscribe(
            "__keyevent@0__:expired", "__keyevent@0__:del", f"{SPACE}event:0:created:*"
        )
        for _ in range(3):
            self.assertEqual(self.listener.get_message(timeout=5)["type"], "psubscribe")

    def tearDown(self):
        self.listener.close()
        self.client.config_set(
            "notify-keyspace-events", self.before["notify-keyspace-events"]
        )
        self.client.close()

    def events(self, count, seconds=PROMPT_S):
        """The next `count` messages, as pairs of channel and content."""
        found = []
        deadline = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < deadline:
            if message := self.listener.get_message(timeout=0.05):
                found.append((message["channel"], message["data"]))
        self.assertEqual(len(found), count, found)
        return found

    def test_flags_read_back_with_the_same_meaning(self):
        flags = self.client.config_get("notify-keyspace-events")["notify-keyspace-events"]
        self.assertEqual(set(flags), set("Egx"))

    def test_a_new_session_is_announced(self):
        name = self.sessions.create("ann", 60_000)
        self.assertEqual(self.events(1), [(f"{SPACE}event:0:created:{name}", "ann")])
        self.assertEqual(self.sessions.load(name)["sessionAttr:user"], "ann")

    def test_the_end_of_every_session_is_heard_promptly_and_it_can_still_be_read(self):
        names = {self.sessions.create("bob", 300 + number) for number in range(200)}
        self.events(200)
        expired = self.events(200)
        self.assertEqual(
            set(expired),
            {("__keyevent@0__:expired", f"{SPACE}sessions:expires:{name}") for name in names},
        )
        for name in names:
            self.assertEqual(self.sessions.load(name)["sessionAttr:user"], "bob")
            self.sessions.clean_up("bob", name)
        self.assertEqual(self.client.scard(f"{SPACE}index:bob"), 0)
        # The janitor's DEL of each hash is an event too.
        self.assertEqual({channel for channel, _ in self.events(200 + 1)},
                         {"__keyevent@0__:del"})

    def test_an_event_means_the_key_is_gone(self):
        name = self.sessions.create("eve", 200)
        self.events(1)
        [(_, key)] = self.events(1)
        self.assertEqual(key, f"{SPACE}sessions:expires:{name}")
        self.assertEqual(self.client.exists(key), 0)

    def test_a_touched_session_lives_on(self):
        short = self.sessions.create("zoe", 400)
        long = self.sessions.create("zoe", 400)
        self.events(2)
        self.sessions.touch(long, 60_000)
        self.assertEqual(self.events(1)[0][1], f"{SPACE}sessions:expires:{short}")
        self.assertGreater(self.client.pttl(f"{SPACE}sessions:expires:{long}"), 50_000)

    def test_a_deleted_session_is_heard(self):
        name = self.sessions.create("ida", 60_000)
        self.events(1)
        self.sessions.delete(name)
        self.assertEqual(
            self.events(1), [("__keyevent@0__:del", f"{SPACE}sessions:expires:{name}")]
        )

    def test_a_changed_identity_keeps_content_and_deadline(self):
        old = self.sessions.create("max", 60_000)
        new = str(uuid.uuid4())
        self.sessions.rename(old, new)
        self.assertEqual(self.sessions.load(old), {})
        self.assertEqual(self.sessions.load(new)["sessionAttr:user"], "max")
        self.assertTrue(0 < self.client.pttl(f"{SPACE}sessions:expires:{new}") <= 60_000)

    def test_the_janitor_makes_what_is_due_expire_by_looking_at_it(self):
        name = self.sessions.create("kim", 150)
        self.events(1)
        [minute] = self.client.keys(f"{SPACE}expirations:*")
        self.assertEqual(self.client.smembers(minute), {f"expires:{name}"})
        marker = f"{SPACE}sessions:expires:{name}"
        wait_for(lambda: not self.client.exists(marker), "the end of the session", 5)
        self.assertEqual(self.events(1), [("__keyevent@0__:expired", marker)])
