"""The yardstick of callbacks: one thread, one ``requests.Session``, one POST after the other.

``python -m benchmarks.bare_sender URL COUNT`` reads the body from standard
input and prints seconds and processor time as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import requests

__all__: list[str] = []

if __name__ == "__main__":
    url, count = sys.argv[1], int(sys.argv[2])
    body = sys.stdin.buffer.read()
    with requests.Session() as session:
        session.post(url, data=body, timeout=30)
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=30)
        print(json.dumps([time.perf_counter() - began, time.process_time() - cpu]))
