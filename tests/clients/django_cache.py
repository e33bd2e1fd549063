"""Django's own cache on Redis, whole, and the sessions that live in it."""

import datetime
import unittest

import django
import django.conf
from django.core.cache import caches

import under_test
from under_test import wait_for


def configure():
    """Django is configured once in a process; the second database shows that SELECT is used."""
    settings = django.conf.settings  # a name of this module would be looked into before its time
    if settings.configured:
        return
    backend = "django.core.cache.backends.redis.RedisCache"
    place = {"BACKEND": backend, "LOCATION": under_test.url(1), "KEY_PREFIX": "site"}
    settings.configure(
        CACHES={
            "default": place,
            "brief": {**place, "TIMEOUT": 1, "VERSION": 7, "KEY_PREFIX": "brief"},
        },
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
        SECRET_KEY="for tests", USE_TZ=True,
    )
    django.setup()


class DjangoCache(unittest.TestCase):
    def setUp(self):
        configure()
        self.server = under_test.empty_client(db=1)
        self.cache = caches["default"]

    def tearDown(self):
        self.cache.close()
        self.server.close()

    def test_values_come_back_with_their_types(self):
        values = {"int": 41, "text": "straße", "bytes": b"\0\r\n", "list": [1, {"a": None}],
                  "when": datetime.date(2024, 2, 29), "none": None, "true": True, "float": 0.1}
        for key, value in values.items():
            self.cache.set(key, value)
        for key, value in values.items():
            self.assertEqual(self.cache.get(key, "nothing"), value)
            self.assertIs(type(self.cache.get(key)), type(value))
        self.assertEqual(self.cache.get("missing", "nothing"), "nothing")
        self.assertIn("int", self.cache)
        self.assertFalse(self.cache.has_key("missing"))

    def test_add_sets_only_what_is_not_there(self):
        self.assertTrue(self.cache.add("k", "first"))
        self.assertFalse(self.cache.add("k", "second"))
        self.assertEqual(self.cache.get("k"), "first")
        self.assertTrue(self.cache.add("never", "v", timeout=0))
        self.assertIsNone(self.cache.get("never"))
        self.assertEqual(self.cache.get_or_set("made", lambda: "once"), "once")
        self.assertEqual(self.cache.get_or_set("made", "twice"), "once")

    def test_numbers_are_counted(self):
        self.cache.set("n", 40)
        self.assertEqual(self.cache.incr("n"), 41)
        self.assertEqual(self.cache.incr("n", 10), 51)
        self.assertEqual(self.cache.decr("n", 9), 42)
        with self.assertRaises(ValueError):
            self.cache.incr("missing")

    def test_many_at_once(self):
        data = {f"k{number}": number for number in range(300)}
        self.assertEqual(self.cache.set_many(data, timeout=100), [])
        self.assertEqual(self.cache.get_many([*data, "missing"]), data)
        self.assertTrue(all(0 < self.server.ttl(key) <= 100 for key in self.server.keys()))
        self.cache.delete_many(f"k{number}" for number in range(299))
        self.assertEqual(self.cache.get_many(data), {"k299": 299})
        self.assertTrue(self.cache.delete("k299"))
        self.assertFalse(self.cache.delete("k299"))

    def test_clear_leaves_other_databases_alone(self):
        with under_test.empty_client() as other:
            other.set("mine", "v")
            self.cache.set_many({"a": 1, "b": 2})
            self.assertTrue(self.cache.clear())
            self.assertIsNone(self.cache.get("a"))
            self.assertEqual(self.server.dbsize(), 0)
            self.assertEqual(other.get("mine"), b"v")

    def test_timeouts(self):
        key = self.cache.make_key
        self.cache.set("usual", 1)
        self.cache.set("eternal", 1, timeout=None)
        self.cache.set("never", 1, timeout=0)
        self.assertTrue(290 < self.server.ttl(key("usual")) <= 300)
        self.assertEqual(self.server.ttl(key("eternal")), -1)
        self.assertIsNone(self.cache.get("never"))
        self.assertTrue(self.cache.touch("usual", 1000))
        self.assertTrue(990 < self.server.ttl(key("usual")) <= 1000)
        self.assertTrue(self.cache.touch("usual", None))
        self.assertEqual(self.server.ttl(key("usual")), -1)
        self.assertTrue(self.cache.touch("usual", 0))
        self.assertIsNone(self.cache.get("usual"))
        self.assertFalse(self.cache.touch("missing", 10))
        brief = caches["brief"]
        brief.set("k", "v")
        self.assertEqual(brief.get("k"), "v")
        wait_for(lambda: brief.get("k") is None, "the end of a timeout of one second", 5)

    def test_versions_are_separate_values(self):
        self.cache.set("k", "one")
        self.cache.set("k", "two", version=2)
        self.assertEqual(self.cache.get("k"), "one")
        self.assertEqual(self.cache.get("k", version=2), "two")
        self.assertEqual(self.cache.incr_version("k", 2, version=2), 4)
        self.assertIsNone(self.cache.get("k", version=2))
        self.assertEqual(self.cache.get("k", version=4), "two")
        self.assertEqual(self.cache.decr_version("k", version=4), 3)
        self.assertEqual(self.server.get("site:3:k") is not None, True)
        caches["brief"].set("k", "seven")
        self.assertEqual(self.cache.get("k"), "one")
        self.assertTrue(self.server.exists("brief:7:k"))

    def test_sessions_live_in_the_cache(self):
        from django.contrib.sessions.backends.cache import SessionStore

        session = SessionStore()
        session["user"] = 42
        session.set_expiry(50)
        session.save()
        again = SessionStore(session_key=session.session_key)
        self.assertEqual(again["user"], 42)
        again.cycle_key()
        self.assertFalse(SessionStore().exists(session.session_key))
        self.assertEqual(SessionStore(session_key=again.session_key)["user"], 42)
        again.flush()
        self.assertEqual(self.server.dbsize(), 0)
