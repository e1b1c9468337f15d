"""An OpenAI-compatible server of the tests' own (standard library and numpy): a bigram model over a real tokenizer's ids, and every way of misbehaving."""
import collections
import http.server
import json
import pathlib
import sys
import threading
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import json_server  # noqa: E402


class Bigrams:
    """log p(next | previous), drawn once; what follows what in `texts` is made likely."""

    def __init__(self, tokenizer, texts=(), seed=11):
        self.tokenizer, size = tokenizer, tokenizer.get_vocab_size()
        logits = np.random.default_rng(seed).normal(0, 2, (size, size))
        for text in texts:
            ids = self.encode(text)
            for a, b in zip(ids, ids[1:]):
                logits[a, b] += 8
        self.table = logits - np.log(np.exp(logits).sum(1, keepdims=True))

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def score(self, context, continuation):
        """(sum, greedy) of ids, the oracle that helio's figures are compared with."""
        ids = list(context) + list(continuation)
        places = range(len(context), len(ids))
        return (sum(self.table[ids[i - 1], ids[i]] for i in places), all(self.table[ids[i - 1]].argmax() == ids[i] for i in places))


class Stub(http.server.ThreadingHTTPServer):
    """`plan(path, body, how often this body came before)` returns None (answer properly), a dict or a function of the choice that changes what is answered, or a
    function of the handler that answers by itself."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, model, plan=None, names="token_id:{}", card=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.model, self.plan, self.names, self.card = model, plan or (lambda *_: None), names, card
        self.seen, self.before, self.lock, self.at_once, self.most = [], collections.Counter(), threading.Lock(), 0, 0

    def spec(self, name="stub"):
        return f"openai:http://127.0.0.1:{self.server_port}/v1#{name}"

    def echo(self, ids, depth):
        """choices[].logprobs of a prompt and one token more."""
        table, out = self.model.table, {"tokens": [], "token_logprobs": [None], "top_logprobs": [None]}
        ids = ids + [int(table[ids[-1]].argmax())]
        for a, b in zip(ids, ids[1:]):
            best = np.argsort(-table[a])[:depth]
            out["token_logprobs"].append(float(table[a, b]))
            out["top_logprobs"].append({self.names.format(int(i)): float(table[a, i]) for i in best} | {self.names.format(b): float(table[a, b])})
        out["tokens"] = [self.names.format(i) for i in ids]
        return out


class Handler(json_server.JsonHandler):
    def do_GET(self):
        if self.path == "/v1/models" and self.server.card:
            return self.reply(200, {"object": "list", "data": [{"id": "another"}, self.server.card]})
        self.reply(404, {"error": {"message": "no such route"}})

    def do_POST(self):
        text = self.text()
        body, server = json.loads(text), self.server
        with server.lock:
            before = server.before[self.path + text]
            server.before[self.path + text] += 1
            server.seen.append((time.monotonic(), self.path, self.headers.get("Authorization"), body))
            server.at_once += 1
            server.most = max(server.most, server.at_once)
        try:
            plan = server.plan(self.path, body, before)
            if plan == "refuse":
                return self.reply(404, {"error": {"message": "no such route"}})
            if callable(plan) and plan.__code__.co_varnames[:1] == ("handler",):
                return plan(self)
            if self.path == "/v1/completions" and body.get("echo"):
                choices = [{"index": i, "text": "", "logprobs": server.echo(ids, body["logprobs"])} for i, ids in enumerate(body["prompt"])]
                for choice in choices:
                    if plan:
                        plan(choice)
                return self.reply(200, {"choices": choices[::-1]})  # any order: the index counts
            if self.path == "/v1/completions":
                return self.reply(200, {"choices": [{"index": 0, "text": answer_to(body["prompt"])}]})
            if self.path == "/v1/chat/completions":
                return self.reply(200, json_server.chat_reply(answer_to(body["messages"][-1]["content"])))
            self.reply(404, {"error": {"message": "no such route"}})
        finally:
            with server.lock:
                server.at_once -= 1


def answer_to(prompt):
    """Right for questions that end in an even number of letters."""
    question = prompt.split("Question: ")[-1].split("\n")[0]
    return f" It is so.\n#### {len(question) if len(question) % 2 == 0 else -1}\nQuestion: more"


def stub(model, plan=None, **options):
    return json_server.running(Stub(model, plan, **options))
