"""Dataverse 1.0.5 on Spark and ours on the same YAML and the same Parquet file, in turns.

    PEER/bin/python bench/peers/data_dataverse.py ../shared/data/corpora build/release/bin/helio [MB] [cleaning|minhash]

Cleaning (white space, unprintable characters, length), and MinHash. Spark has one core, ours one thread. What starting the
JVM costs is counted apart: Dataverse's figure is without it, ours is the whole program.
PEER is a venv with dataverse==1.0.5 and Java beside it; zstandard and pandas come along.
"""
import glob
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HEAD = """spark:
  appname: bench
  master: local[1]
  driver: {{memory: 4G}}
  executor: {{memory: 1G}}
  local: {{dir: {work}/spark}}
  ui: {{port: 4041}}
  verbose: false
etl:
  - {{name: data_ingestion___parquet___pq2raw, args: {{path: {work}/in.parquet, repartition: 1}}}}
"""
CLEAN = """  - {{name: cleaning___char___normalize_whitespace}}
  - {{name: cleaning___char___remove_unprintable}}
  - {{name: cleaning___length___word_len_filter, args: {{min_len: 50, max_len: 100000}}}}
"""
MINHASH = """  - {{name: deduplication___minhash___lsh_jaccard, args: {{threshold: 0.72, ngram_size: 5, min_length: 5, num_perm: 112}}}}
"""
SAVE = """  - {{name: data_save___parquet___ufl2parquet, args: {{save_path: {work}/{out}}}}}
"""


def documents(folder, limit):
    """A share of each source, so that both languages are there."""
    import zstandard

    files = sorted(glob.glob(f"{folder}/*.jsonl.zst"))
    for path in files:
        size = 0
        with open(path, "rb") as file:
            for line in io.TextIOWrapper(zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file), encoding="utf-8"):
                text = json.loads(line)["text"]
                yield text
                size += len(text.encode())
                if size >= limit / len(files):
                    break


def peer(config):
    """Runs in a process of its own; Spark's start and the imports are not counted."""
    from dataverse.etl import ETLPipeline
    from omegaconf import OmegaConf
    from pyspark.sql import SparkSession

    loaded = OmegaConf.load(config)
    SparkSession.builder.master("local[1]").config("spark.driver.memory", "4G").getOrCreate()
    begin = time.time()
    ETLPipeline().run(config=loaded, verbose=False)
    print(f"PEER {time.time() - begin}", flush=True)


def main():
    import pandas

    folder, helio = sys.argv[1], os.path.abspath(sys.argv[2])
    limit = float(sys.argv[3]) * 1e6 if len(sys.argv) > 3 else 3e6
    work = tempfile.mkdtemp(prefix="bench-dataverse-")
    texts = list(documents(folder, limit))
    size = sum(len(text.encode()) for text in texts)
    pandas.DataFrame([{"id": str(i), "text": text} for i, text in enumerate(texts)]).to_parquet(f"{work}/in.parquet")
    print(f"{len(texts)} documents, {size / 1e6:.1f} MB")
    chains = {"cleaning": CLEAN, "minhash": MINHASH}
    for name in sys.argv[4:] or chains:
        seconds = {}
        for who in ("ours", "dataverse"):
            config = f"{work}/{name}-{who}.yaml"
            with open(config, "w") as file:
                file.write((HEAD + chains[name] + SAVE).format(work=work, out=f"{name}-{who}"))
            begin = time.time()
            if who == "ours":
                command = [helio, "data", "run", config, "--threads", "1", "-q", "--out", f"{work}/{name}-dataset"]
            else:
                command = [sys.executable, os.path.abspath(__file__), "--peer", config]
            environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            wall = time.time() - begin
            if done.returncode:
                sys.exit(f"{who}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
            for line in done.stdout.splitlines():
                if line.startswith("PEER "):
                    wall = float(line.split()[1])
            seconds[who] = wall
            kept = len(pandas.read_parquet(f"{work}/{name}-{who}"))
            print(f"  {name:9} {who:9} {wall:8.2f} s  {size / 1e6 / wall:8.2f} MB/s  {kept} documents stay", flush=True)
        print(f"  {name:9} {seconds['dataverse'] / seconds['ours']:.0f} times as fast", flush=True)
    shutil.rmtree(work)


if len(sys.argv) == 3 and sys.argv[1] == "--peer":
    peer(sys.argv[2])
else:
    main()
