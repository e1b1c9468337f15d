#!/usr/bin/env python3
"""Load on a running `helio serve` (or any OpenAI-compatible server): concurrent streams, idle streams, random disconnects.

  bench/peers/serve_load.py --url http://127.0.0.1:8000 --model NAME [--streams 1 8 64] [--tokens 64] [--requests-per-stream 4] [--pid PID]
  bench/peers/serve_load.py --url ... --model NAME --idle 800          # connections held open, while one more stream is timed
  bench/peers/serve_load.py --url ... --model NAME --waiting 800 --pid PID # streams that wait for a slot and then leave, while /health is timed
  bench/peers/serve_load.py --url ... --model NAME --soak 60 --pid PID # clients that leave at random; descriptors and memory of PID
                            [--forms]                                  # most of them want JSON under one of 200 schemas, or a grammar

Plain sockets, so that the client costs little. Only this machine is a target: other addresses are refused.
"""
import argparse
import asyncio
import json
import os
import random
import statistics
import time
import urllib.parse


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


class Target:
    def __init__(self, url, model, key):
        parts = urllib.parse.urlparse(url)
        if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise SystemExit("only a server on this machine is a target")
        self.host, self.port, self.model = parts.hostname, parts.port, model
        self.auth = f"Authorization: Bearer {key}\r\n" if key else ""

    async def open(self, body):
        reader, writer = await asyncio.open_connection(self.host, self.port)
        text = json.dumps(body).encode()
        writer.write(f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n{self.auth}Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
        await writer.drain()
        return reader, writer

    async def stream(self, prompt, tokens, leave_after=None, form=None):
        """Arrival times of the parts, from the request; the status."""
        began = time.perf_counter()
        reader, writer = await self.open({"model": self.model, "prompt": prompt, "max_tokens": tokens, "temperature": 1, "stream": True, "ignore_eos": form is None, **(form or {})})
        times = []
        status = int((await reader.readline()).split()[1])
        try:
            while status == 200:
                line = await reader.readline()
                if not line or line.startswith(b"data: [DONE]"):
                    break
                if line.startswith(b"data: "):
                    times.append(time.perf_counter() - began)
                    if leave_after is not None and len(times) >= leave_after:
                        break
        finally:
            writer.close()
        return times, status


def prompt_of(i, draw):
    words = ["한국어", "문장", "the", "model", "answers", "questions", "about", "data", "오늘", "날씨"]
    return f"{i} " + " ".join(draw.choice(words) for _ in range(24))


def cpu_of(pid):
    """Seconds of processor time a process has had: what a busy machine does not change much."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(target, streams, requests, tokens, pid=None):
    draw = random.Random(1)
    firsts, betweens, done, refused = [], [], 0, 0

    async def client(i):
        nonlocal done, refused
        for r in range(requests):
            times, status = await target.stream(prompt_of(i * 1000 + r, draw), tokens)
            if status != 200:
                refused += 1
                continue
            firsts.append(times[0])
            betweens.extend(b - a for a, b in zip(times, times[1:]))
            done += len(times)

    spent = cpu_of(pid) if pid else 0
    began = time.perf_counter()
    await asyncio.gather(*(client(i) for i in range(streams)))
    wall = time.perf_counter() - began
    spent = f"; {(cpu_of(pid) - spent) / done * 1000:.2f} ms of processor time a part" if pid else ""
    print(f"{streams:4} streams: first token {statistics.median(firsts) * 1000:7.1f} ms median, {percentile(firsts, .99) * 1000:7.1f} p99; "
          f"between tokens {statistics.median(betweens) * 1000:6.1f} ms median, {percentile(betweens, .99) * 1000:6.1f} p99; {done / wall:7.1f} parts/s; {refused} refused{spent}", flush=True)


async def idle(target, count):
    held = []
    for i in range(count):
        reader, writer = await asyncio.open_connection(target.host, target.port)
        writer.write(f"GET /health HTTP/1.1\r\nHost: localhost\r\n{target.auth}\r\n".encode())
        held.append((reader, writer))
    for reader, _ in held:
        await reader.readline()
    times, status = await target.stream("The", 16)
    print(f"{count} idle connections held: one more stream's first token after {times[0] * 1000:.1f} ms, status {status}")
    for _, writer in held:
        writer.close()


async def metric(target, name):
    reader, writer = await asyncio.open_connection(target.host, target.port)
    writer.write(f"GET /metrics HTTP/1.0\r\nHost: localhost\r\n{target.auth}\r\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{"))


async def waiting(target, count, pid):
    """Streams in the queue (the server's --queue must have room): what they cost, and that nothing of them stays when they leave."""
    await target.stream("warm", 2)
    before = held_by(pid)
    held = [await target.open({"model": target.model, "prompt": f"{i} one two", "max_tokens": 200, "stream": True, "ignore_eos": True}) for i in range(count)]
    await asyncio.sleep(2)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        running, queued = await metric(target, "helio_generations_running"), await metric(target, "helio_generations_waiting")
        times.append((time.perf_counter() - began) / 2)
    during = held_by(pid)
    for _, writer in held:
        writer.close()
    left = None
    for _ in range(120):
        await asyncio.sleep(0.5)
        left = await metric(target, "helio_generations_running") + await metric(target, "helio_generations_waiting")
        if left == 0:
            break
    after = held_by(pid)
    print(f"{count} streams, {running:.0f} of them running and {queued:.0f} waiting: /metrics after {statistics.median(times) * 1000:.1f} ms median, {max(times) * 1000:.1f} at most; "
          f"when they left {left:.0f} generations stayed, cache tokens held {await metric(target, 'helio_cache_tokens'):.0f}; descriptors {before[0]} -> {during[0]} -> {after[0]}; memory {before[1]:.0f} -> {during[1]:.0f} -> {after[1]:.0f} MiB")


def form_of(draw):
    """What an answer must be: nothing in particular, JSON, JSON under one of 200 schemas, a text of a grammar."""
    kind = draw.randrange(4)
    if kind == 0:
        return None
    if kind == 1:
        return {"response_format": {"type": "json_object"}}
    if kind == 2:
        return {"grammar": 'root ::= ("한" | "글" | [a-z]){1,20} ("." root)?'}
    i = draw.randrange(200)
    return {"guided_json": {"type": "object", "properties": {f"name{i}": {"type": "string", "maxLength": i + 1}, "values": {"type": "array", "items": {"$ref": "#/$defs/v"}}},
                            "required": [f"name{i}"], "additionalProperties": i % 2 == 0, "$defs": {"v": {"anyOf": [{"type": "integer", "maximum": i}, {"$ref": "#"}]}}}}


def held_by(pid):
    with open(f"/proc/{pid}/status") as status:
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return len(os.listdir(f"/proc/{pid}/fd")), resident / 1024


async def soak(target, seconds, pid, forms):
    draw = random.Random(2)
    ends = time.time() + seconds
    counts = {"whole": 0, "left": 0, "refused": 0}

    async def client(i):
        while time.time() < ends:
            leave = draw.choice([None, 0, 1, 3, 10])
            if leave == 0:  # before anything came
                _, writer = await target.open({"model": target.model, "prompt": prompt_of(i, draw), "max_tokens": 64, "stream": True})
                await asyncio.sleep(draw.random() * 0.05)
                writer.close()
                counts["left"] += 1
                continue
            _, status = await target.stream(prompt_of(i, draw), draw.randint(4, 48), leave, form_of(draw) if forms else None)
            counts["refused" if status != 200 else "whole" if leave is None else "left"] += 1

    await target.stream("warm", 4)
    before = held_by(pid)
    middle = None
    tasks = [asyncio.create_task(client(i)) for i in range(24)]
    await asyncio.sleep(seconds / 2)
    middle = held_by(pid)
    await asyncio.gather(*tasks)
    await asyncio.sleep(2)
    after = held_by(pid)
    print(f"soak of {seconds} s, 24 clients: {counts}; descriptors {before[0]} -> {after[0]}; memory {before[1]:.0f} -> {middle[1]:.0f} (half way) -> {after[1]:.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--key")
    parser.add_argument("--streams", type=int, nargs="*", default=[1, 8, 64])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--requests-per-stream", type=int, default=4)
    parser.add_argument("--idle", type=int)
    parser.add_argument("--waiting", type=int)
    parser.add_argument("--soak", type=float)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--forms", action="store_true")
    a = parser.parse_args()
    target = Target(a.url, a.model, a.key)
    if a.idle:
        return asyncio.run(idle(target, a.idle))
    if a.waiting:
        return asyncio.run(waiting(target, a.waiting, a.pid))
    if a.soak:
        return asyncio.run(soak(target, a.soak, a.pid, a.forms))
    for streams in a.streams:
        asyncio.run(load(target, streams, a.requests_per_stream, a.tokens, a.pid))


if __name__ == "__main__":
    main()
