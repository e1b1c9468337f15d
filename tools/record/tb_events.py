#!/usr/bin/env python3
"""Records tests/fixtures/tb_events: a TensorBoard event file of scalars, written record by record with torch's and tensorboard's own code.

Made with tensorboard 2.x (see SOURCE.json), torch 2.15.0.  Times are fixed so that the bytes are the same on every run.
Rerun: see README.md in this folder, then `python tools/record/tb_events.py`.

  events.out.tfevents.fixture  the file as torch.utils.tensorboard's SummaryWriter lays it out: a file_version event, then one scalar an event
  scalars.jsonl                {"tag", "step", "value", "wall_time", "record_offset", "record_bytes"} a line, in file order; value is what EventAccumulator
                               reads back (float32); record_bytes counts the 8+4 bytes before and the 4 after the message
  crc.jsonl                    {"hex": data, "masked_crc32c": figure}: tensorboard's checksum of a few byte strings
"""
import struct

from common import begin, finish, fixed_torch, write_jsonl

fixed_torch()
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard.summary import scalar

START = 1795000000.25
ROWS = [(tag, step, value) for step, row in ((1, (5.25, 1e-3)), (2, (4.0625, 2e-3)), (300, (-0.1, 3.0e-4)), (70000, (float("inf"), 0.0)))
        for tag, value in zip(("train/loss", "train/lr"), row)] + [("보상/margins", 70001, 1.0 / 3.0), ("rewards/accuracies", 2**33, 0.5)]
folder = begin("tb_events")
path = folder / "events.out.tfevents.fixture"
offsets = []
with open(path, "wb") as out:
    writer = RecordWriter(out)
    writer.write(Event(wall_time=START, file_version="brain.Event:2").SerializeToString())
    for i, (tag, step, value) in enumerate(ROWS):
        offsets.append(out.tell())
        writer.write(Event(wall_time=START + i + 1, step=step, summary=scalar(tag, value)).SerializeToString())
    offsets.append(out.tell())
reader = EventAccumulator(str(path), size_guidance={"scalars": 0}).Reload()
read = {(tag, e.step): e for tag in reader.Tags()["scalars"] for e in reader.Scalars(tag)}
assert len(read) == len(ROWS)
rows = []
for i, (tag, step, value) in enumerate(ROWS):
    event = read[tag, step]
    assert event.wall_time == START + i + 1 and event.value == struct.unpack("f", struct.pack("f", value))[0]
    shown = "inf" if event.value == float("inf") else event.value
    rows.append({"tag": tag, "step": step, "value": shown, "wall_time": event.wall_time, "record_offset": offsets[i], "record_bytes": offsets[i + 1] - offsets[i]})
write_jsonl(folder / "scalars.jsonl", rows)
samples = [b"", b"a", b"123456789", bytes(32), bytes(range(256)), "한국어".encode()]
write_jsonl(folder / "crc.jsonl", [{"hex": s.hex(), "masked_crc32c": int(masked_crc32c(s))} for s in samples])
finish(folder, ["tensorboard", "torch", "protobuf"], "a TensorBoard event file of scalars and what EventAccumulator reads from it", start_time=START)
