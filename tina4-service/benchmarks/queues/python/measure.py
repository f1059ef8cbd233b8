"""What the peers in Python share. The Rust crate `measure` does the same, and describes it."""

import os
import sys
import threading
import time

PUSH_TIME_S = 2.0
JOBS = 50_000
BATCH = 1000
DRAIN_LIMIT_S = 5.0
LATENCIES = 200
WARM_UP = 10
LATENCY_LIMIT_S = 4.0
PAUSE_S = 0.010

ADDRESS = os.environ["QUEUE_ADDRESS"]
IS_EQUAL = os.environ["QUEUE_DURABILITY"] == "equal"
TASK = sys.argv[1]
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 1

begun = 0
counting = threading.Lock()
starts = {}


def count():
    """The body of every job of a drain."""
    global begun
    with counting:
        begun += 1


def note_start(number):
    """The body of every job of a latency."""
    starts[number] = time.perf_counter()


def end(*figures):
    print("result", *(f"{figure:.3f}" for figure in figures), flush=True)
    os._exit(0)


def quantile(times, part):
    return times[min(int(len(times) * part), len(times) - 1)]


def push(producers, push):
    """Threads push at the same time, each a job after the other."""
    start = time.perf_counter()
    times = []

    def produce(producer):
        number = producer * 1_000_000
        while time.perf_counter() - start < PUSH_TIME_S:
            began = time.perf_counter()
            push(number)
            times.append((time.perf_counter() - began) * 1e6)
            number += 1

    threads = [threading.Thread(target=produce, args=(n,)) for n in range(producers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    times.sort()
    end(len(times) / took, quantile(times, 0.5), quantile(times, 0.99))


def drain():
    """Waits until all jobs have been counted. Called at once after the workers were started."""
    start = time.perf_counter()
    while True:
        time.sleep(0.001)
        took = time.perf_counter() - start
        if begun >= JOBS or took >= DRAIN_LIMIT_S:
            end(begun / took)


def latency(push):
    """Pushes jobs one at a time to idle workers, and waits for each."""
    first, times = time.perf_counter(), []
    for number in range(LATENCIES + WARM_UP):
        if time.perf_counter() - first >= LATENCY_LIMIT_S and times:
            break
        time.sleep(PAUSE_S + (number * 37 % 5000) / 1e6)
        push(number)
        returned = time.perf_counter()
        while number not in starts:
            time.sleep(0.0002)
            if time.perf_counter() - returned > 60:
                raise TimeoutError(f"job {number} does not start")
        if number >= WARM_UP:
            times.append(max(0.0, starts[number] - returned) * 1e6)
    times.sort()
    end(quantile(times, 0.5), quantile(times, 0.99))
