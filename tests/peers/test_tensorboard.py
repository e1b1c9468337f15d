"""TensorBoard's own reader reads our event files; metrics.jsonl has the same numbers."""
# label: fast
import json
import os
import pathlib
import subprocess

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def test_event_files_are_read_by_tensorboard(tmp_path):
    program = pathlib.Path(os.environ["HELIO_BIN"]) / "write_sample_metrics"
    subprocess.run([program, tmp_path], check=True)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    samples = rows.pop()
    assert samples == {"step": 3, "samples": [{"prompt": "Once upon", "text": " a time\nthere"}, {"prompt": "옛날", "text": " 옛적에"}]}
    assert [row["step"] for row in rows] == [1, 2, 3]
    for i, shown in enumerate(("    Once upon ⟶  a time\n    there", "    옛날 ⟶  옛적에")):
        assert events.summary_metadata[f"samples/{i + 1}"].plugin_data.plugin_name == "text"
        (text,) = events.Tensors(f"samples/{i + 1}")
        assert text.step == 3 and text.tensor_proto.string_val[0].decode() == shown and text.tensor_proto.tensor_shape.dim[0].size == 1
    assert set(events.Tags()["scalars"]) == {"loss", "rewards/margins"}
    for name in ("loss", "rewards/margins"):
        read = {event.step: event.value for event in events.Scalars(name)}
        assert set(read) == {1, 2, 3}
        for row in rows:
            assert abs(read[row["step"]] - row[name]) < 1e-6 * max(1, abs(row[name]))
