#!/usr/bin/env python3
"""Adds tasks to a Duestream queue from Python, by docs/wire-format.md alone.

    python3 add-tasks.py mail                     two tasks: one due now, one in two seconds
    python3 add-tasks.py mail --script add.lua    with the script from somewhere else

Needs redis-py (Debian: python3-redis). Redis is --redis, else REDIS_URL, else redis://127.0.0.1:6379.
"""

import argparse
import binascii
import json
import os
import pathlib
import secrets

import redis

SHIPPED_SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "lua" / "add.lua"
MARKS = {"r": "ready", "s": "scheduled", "d": "duplicate", "x": "refused"}


class Producer:
    """One lane: its calls are numbered, so that one whose reply was lost can be sent again and counts once."""

    def __init__(self, client, script, queue, prefix="duestream"):
        self.client, self.script, self.queue, self.prefix = client, script, queue, prefix
        self.lane, self.call = secrets.token_urlsafe(12), 0

    def key(self, partition, name):
        return f"{self.prefix}:{{{self.queue}:{partition}}}:{name}"

    def layout(self):
        """'format/partitions', as the first partition has it; a queue that nobody has used becomes one of one partition."""
        return (self.client.hget(self.key(0, "meta"), "layout") or b"1/1").decode()

    def add(self, *tasks):
        """A status for each. Those of one partition go in one call."""
        layout = self.layout()
        groups = {}
        for at, task in enumerate(tasks):
            groups.setdefault(partition_of(task, int(layout.split("/")[1])), []).append(at)
        statuses = [None] * len(tasks)
        for partition, places in groups.items():
            for at, status in zip(places, self.add_to(partition, layout, [tasks[at] for at in places])):
                statuses[at] = status
        return statuses

    def add_to(self, partition, layout, tasks):
        names = ["meta", "lanes", "due", "tasks", "stream", "live", "expiry", "counts", "wake"]
        keys = [self.key(partition, name) for name in names]
        self.call += 1
        arguments = [layout, 0, self.lane, self.call]
        for task in tasks:
            arguments += [task["id"], task["when"], task.get("expires", ""), task["record"]]
        reply = self.send(keys, arguments)
        status = reply[0].decode()
        if status != "ok":
            raise RuntimeError(f"{self.queue}: {status} {reply[1:]}")
        return [MARKS[chr(mark)] for mark in reply[1]]

    def send(self, keys, arguments, tries=5):
        while True:
            try:
                self.client.sadd(f"{self.prefix}:queues", self.queue)
                return self.client.eval(self.script, len(keys), *keys, *arguments)
            except (redis.ConnectionError, redis.TimeoutError):
                tries -= 1
                if tries == 0:
                    raise  # it may or may not have happened


def partition_of(task, partitions):
    """CRC16/XMODEM of the key, or of the id."""
    return binascii.crc_hqx((task["key"] or task["id"]).encode(), 0) % partitions


def task(name, payload, when="+0", task_id=None, key=None, **options):
    """when: '+N' in N ms, 'N' at that epoch ms. options: m, b, t of the record."""
    record = {"n": name, "p": payload, **({"k": key} if key else {}), **options}
    return {
        "id": task_id or secrets.token_urlsafe(15),
        "key": key,
        "when": when,
        "record": json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    }


def main():
    parser = argparse.ArgumentParser(description="Adds a task that is due now and one that is due in two seconds.")
    parser.add_argument("queue")
    parser.add_argument("--redis", default=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"))
    parser.add_argument("--script", type=pathlib.Path, default=SHIPPED_SCRIPT)
    options = parser.parse_args()

    client = redis.Redis.from_url(options.redis, socket_timeout=5)
    producer = Producer(client, options.script.read_text(encoding="utf-8"), options.queue)
    now = task("welcome", {"to": "zoë@example.com"}, task_id="welcome-zoë")
    later = task("digest", {"userId": 7}, when="+2000", task_id="digest-7", m=3)
    for item, status in zip((now, later), producer.add(now, later)):
        print(item["id"], status)


if __name__ == "__main__":
    main()
