"""huey on SQLite: a task, and a consumer with threads as workers, which look for jobs each 10 ms when idle."""

import measure
from huey import SqliteHuey

# Its default leaves `synchronous` as SQLite has it, which is `full` also for claims.
OPTIONS = {"fsync": True} if measure.IS_EQUAL else {}
if measure.IS_EQUAL and measure.TASK == "drain":
    # Claims without a sync, as ours: `normal` cannot be had, and `off` is the same but for checkpoints.
    OPTIONS = {"fsync": False}
huey = SqliteHuey(filename=measure.ADDRESS, results=False, **OPTIONS)


@huey.task()
def count():
    measure.count()


@huey.task()
def note(number):
    measure.note_start(number)


def start(workers):
    consumer = huey.create_consumer(workers=workers, periodic=False, initial_delay=0.01, max_delay=0.01)
    consumer.start()


if measure.TASK == "push":
    measure.push(measure.COUNT, note)
elif measure.TASK == "drain":
    storage = huey.storage
    rows = [(storage.name, huey.serialize_task(count.s())) for _ in range(measure.JOBS)]
    with storage.db(commit=True) as cursor:
        cursor.executemany("insert into task (queue, data, priority) values (?, ?, 0)", rows)
    start(measure.COUNT)
    measure.drain()
else:
    start(1)
    measure.latency(note)
