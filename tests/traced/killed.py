"""A worker that is killed while it works."""

import multiprocessing
import os
import sys
import time


def killed_while_working():
    until = time.thread_time() + 0.05
    while time.thread_time() < until:
        pass
    os.kill(os.getpid(), 9)


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    process = multiprocessing.Process(target=killed_while_working)
    process.start()
    process.join(60)
    if process.exitcode != -9:
        sys.exit(f"it ended with {process.exitcode}")
