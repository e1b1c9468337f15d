"""helio serve as a process of its own, for tests that talk to it."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess

HELIO = str(pathlib.Path(os.environ["HELIO_BIN"]) / "helio")


class Server:
    def __init__(self, process, url, log):
        self.process, self.url, self.log = process, url, log

    def stop(self):
        """Asks it to end; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextlib.contextmanager
def serving(log, *words):
    """Yields a Server; log: the file that gets its stderr."""
    with open(log, "w") as errors:
        process = subprocess.Popen([HELIO, "serve", *map(str, words), "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=errors, text=True)
        line = process.stdout.readline()
        assert line, pathlib.Path(log).read_text()
        try:
            yield Server(process, json.loads(line)["url"], log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
