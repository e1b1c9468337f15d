"""jinja2 in the environment that transformers 5.23 gives chat templates, and our engine beside it. Shared by the tests and tools/record."""
import copy
import json
import os
import pathlib
import re
import subprocess
import warnings
from contextlib import contextmanager
from datetime import datetime

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

TOOL = pathlib.Path(os.environ.get("HELIO_BIN", "build/release/bin")) / "jinja_tool"
CLOCK = datetime(2025, 3, 4, 5, 6, 7)


class Tracker(jinja2.ext.Extension):
    """{% generation %}: where its text begins and ends, counted as transformers counts."""

    tags = {"generation"}

    def __init__(self, environment):
        super().__init__(environment)
        environment.extend(track=self.track)
        self.blocks = self.spans = None

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_span"), [], [], body).set_lineno(line)

    @jinja2.pass_eval_context
    def _span(self, context, caller):
        text = caller()
        if self.blocks is not None:
            begin = len("".join(self.blocks))
            self.spans.append((begin, begin + len(text)))
        return text

    @contextmanager
    def track(self, blocks, spans):
        self.blocks, self.spans = blocks, spans
        try:
            yield
        finally:
            self.blocks = self.spans = None


class Dict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class Names(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attributes = dict(*args, **kwargs)
        for name in attributes:
            Names._check(name)
        jinja2.utils.Namespace.__init__(self, attributes)

    def __setitem__(self, name, value):
        Names._check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def _check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)

    def __repr__(self):
        return re.sub("^<Names ", "<Namespace ", jinja2.utils.Namespace.__repr__(self))


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Tracker, jinja2.ext.loopcontrols])

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals.update(raise_exception=raise_exception, strftime_now=CLOCK.strftime, dict=Dict(), namespace=Names)
    return env


ENVIRONMENT = environment()
warnings.filterwarnings("ignore", category=SyntaxWarning)  # Python compiles what jinja2 makes of "none[0]"


def theirs(template, variables):
    """{"text", "spans"}, or {"error"}."""
    try:
        variables = copy.deepcopy(variables)  # `l|indent` adds to the list itself before it fails
        blocks, spans = [], []
        compiled = ENVIRONMENT.from_string(template)
        with ENVIRONMENT.track(blocks, spans):
            for block in compiled.generate(**variables):
                blocks.append(block)
        return {"text": "".join(blocks), "spans": [list(s) for s in spans]}
    except RecursionError:
        raise
    except Exception as error:  # whatever Python raises in a template is the template's error
        return {"error": f"{type(error).__name__}: {error}"}


def ours(rows):
    """The same of our engine, for rows of {"template", "variables"}."""
    text = "".join(json.dumps({k: v for k, v in row.items() if k != "peer"}) + "\n" for row in rows)
    done = subprocess.run([TOOL], input=text, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    out = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert len(out) == len(rows)
    return out


def plain(text):
    """Addresses and class paths of objects are the process's own."""
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def compare(rows, show=12):
    """Fails with the rows on which the two differ: other text or spans, or an error on one side only."""
    wrong, refused = [], 0
    for row, mine in zip(rows, ours(rows)):
        peer = row.get("peer") or theirs(row["template"], row["variables"])
        if "error" in peer and "error" in mine:
            refused += 1
            continue
        if "error" in peer or "error" in mine or plain(peer["text"]) != mine["text"] or peer["spans"] != mine["spans"]:
            wrong.append((row["template"], peer, mine))
    assert not wrong, f"{len(wrong)} of {len(rows)} differ:\n" + "\n".join(f"{t!r}\n   jinja2 {p}\n   ours   {m}" for t, p, m in wrong[:show])
    return refused
