"""procrastinate: tasks are deferred on threads, and a worker with a concurrency drains."""

import asyncio
import threading

import measure
import procrastinate

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=measure.ADDRESS, min_size=1, max_size=20)
)


@app.task(queue="numbers", name="count")
async def count(number):
    measure.count()


@app.task(queue="numbers", name="note")
async def note(number):
    measure.note_start(number)


loop = asyncio.new_event_loop()


def start(concurrency):
    """Runs a worker on a thread of its own. Done jobs are deleted, as ours are."""
    is_open = threading.Event()

    async def work():
        async with app.open_async():
            is_open.set()
            await app.run_worker_async(
                queues=["numbers"],
                concurrency=concurrency,
                delete_jobs="successful",
                install_signal_handlers=False,
            )

    threading.Thread(target=lambda: loop.run_until_complete(work()), daemon=True).start()
    is_open.wait()


def push(number):
    asyncio.run_coroutine_threadsafe(note.defer_async(number=number), loop).result()


with app.open():
    app.schema_manager.apply_schema()
    if measure.TASK == "push":
        measure.push(measure.COUNT, lambda number: note.defer(number=number))
    elif measure.TASK == "drain":
        for first in range(0, measure.JOBS, measure.BATCH):
            numbers = range(first, first + measure.BATCH)
            count.batch_defer(*({"number": number} for number in numbers))
if measure.TASK == "drain":
    start(measure.COUNT)
    measure.drain()
else:
    start(1)
    measure.latency(push)
