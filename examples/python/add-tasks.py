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
import time

import redis

SHIPPED_SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "lua" / "add.lua"  # has.lua lies beside it
MARKS = {"r": "ready", "s": "scheduled", "d": "duplicate", "x": "refused"}


class OtherLayout(Exception):
    """The queue has grown, or this partition has not been brought up to that yet. Nothing was added."""


class Producer:
    """One lane: its calls are numbered, so that one whose reply was lost can be sent again and counts once."""

    def __init__(self, client, script, queue, prefix="duestream"):
        self.client, self.queue, self.prefix = client, queue, prefix
        self.script, self.has_script = script.read_text(encoding="utf-8"), script.with_name("has.lua")
        self.lane, self.call = secrets.token_urlsafe(12), 0

    def key(self, partition, name):
        return f"{self.prefix}:{{{self.queue}:{partition}}}:{name}"

    def layout(self):
        """'format/partitions', as the first partition has it; a queue that nobody has used becomes one of one partition."""
        return (self.client.hget(self.key(0, "meta"), "layout") or b"1/1").decode()

    def add(self, *tasks):
        """A status for each. Those of one partition go in one call."""
        statuses = [None] * len(tasks)
        for _ in range(100):
            self.add_some(tasks, statuses)
            if None not in statuses:
                return statuses
            time.sleep(0.1)  # the queue grows: its leader is bringing all partitions up to the new layout
        raise RuntimeError(f"{self.queue}: some partitions have another layout than the first")

    def add_some(self, tasks, statuses):
        layout = self.layout()
        partitions, *former = map(int, layout.split("/")[1].split("<"))
        groups = {}
        for at, task in enumerate(tasks):
            if statuses[at] is None:
                groups.setdefault(partition_of(task, partitions), []).append(at)
        for partition, places in groups.items():
            try:
                there = [at for at in places if self.lives_elsewhere(tasks[at], partition, layout, former)]
                statuses[:] = ["duplicate" if at in there else status for at, status in enumerate(statuses)]
                new = [at for at in places if at not in there]
                for at, status in zip(new, self.add_to(partition, layout, [tasks[at] for at in new])):
                    statuses[at] = status
            except OtherLayout:
                pass

    def lives_elsewhere(self, task, partition, layout, former):
        """Whether it is still where it belonged before the queue grew. A random id is nowhere yet."""
        for place in {partition_of(task, n) for n in former if task["own_id"]} - {partition}:
            keys = [self.key(place, "meta"), self.key(place, "tasks")]
            if self.run(self.has_script.read_text(encoding="utf-8"), keys, [layout, task["id"]])[0] == ord("y"):
                return True
        return False

    def add_to(self, partition, layout, tasks):
        names = ["meta", "lanes", "due", "tasks", "stream", "live", "expiry", "counts", "wake"]
        keys = [self.key(partition, name) for name in names]
        self.call += 1
        arguments = [layout, 0, self.lane, self.call]
        for task in tasks:
            arguments += [task["id"], task["when"], task.get("expires", ""), task["record"]]
        return [MARKS[chr(mark)] for mark in self.run(self.script, keys, arguments)] if tasks else []

    def run(self, script, keys, arguments):
        """What an `ok` comes with: a mark for each task."""
        status, *said = self.send(script, keys, arguments)
        if status == b"other_layout":
            raise OtherLayout
        if status != b"ok":
            raise RuntimeError(f"{self.queue}: {status.decode()}")
        return said[0]

    def send(self, script, keys, arguments, tries=5):
        while True:
            try:
                self.client.sadd(f"{self.prefix}:queues", self.queue)
                return self.client.eval(script, len(keys), *keys, *arguments)
            except (redis.ConnectionError, redis.TimeoutError):
                tries -= 1
                if tries == 0:
                    raise  # it may or may not have happened


def partition_of(task, partitions):
    """CRC16/XMODEM of the key, or of the id."""
    return binascii.crc_hqx((task["key"] or task["id"]).encode(), 0) % partitions


def task(name, payload, when="+0", task_id=None, key=None, **options):
    """when: '+N' in N ms, 'N' at that epoch ms. options: m, b, t of the record."""
    if key:
        options["k"] = key
    record = [name, payload, options] if options else [name, payload]
    return {
        "id": task_id or secrets.token_urlsafe(11)[:14],
        "own_id": task_id is not None,
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
    producer = Producer(client, options.script, options.queue)
    now = task("welcome", {"to": "zoë@example.com"}, task_id="welcome-zoë")
    later = task("digest", {"userId": 7}, when="+2000", task_id="digest-7", m=3)
    for item, status in zip((now, later), producer.add(now, later)):
        print(item["id"], status)


if __name__ == "__main__":
    main()
