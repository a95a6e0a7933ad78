#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""asyncio_ticks JOBS INTERVAL_MS SECONDS: as many tasks that call a coroutine which does nothing at a fixed rate, in one asyncio loop.
Prints ticks, microseconds of CPU a tick, and ticks that were skipped because they were an interval late."""
import asyncio
import sys
import time


async def noop():
    pass


async def job(loop, counts, interval, phase, end):
    due = loop.time() + phase
    while due < end:
        await asyncio.sleep(due - loop.time())
        await noop()
        counts[0] += 1
        due += interval
        late = int((loop.time() - due) / interval)
        if late > 0:
            counts[1] += late
            due += late * interval


async def main(n, interval, seconds):
    loop = asyncio.get_running_loop()
    counts = [0, 0]
    began, cpu = loop.time(), time.process_time()
    await asyncio.gather(*(job(loop, counts, interval, interval * i / n, began + seconds) for i in range(n)))
    print(counts[0], (time.process_time() - cpu) * 1e6 / counts[0], counts[1])


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000, float(sys.argv[3])))
