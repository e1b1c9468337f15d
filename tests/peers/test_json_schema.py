"""JSON schemas as grammars beside PyPI's `jsonschema`: what is drawn through a vocabulary is valid, what is valid is accepted."""
import json
import os
import pathlib
import random
import string
import subprocess

import jsonschema
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

TOOL = str(pathlib.Path(os.environ["HELIO_BIN"]) / "grammar_tool")
CORPUS = ['{"name": "Kim", "age": 31, "tags": ["a", "b"], "ok": true, "none": null}', '안녕하세요, "오늘"은 [1, 2.5, -3e4] false', "date 2024-02-29T10:00:00Z \\n \\u00e9"] * 10


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("grammar") / "tokenizer.json"
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=420, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    made.save(str(path))
    return path


def run(tokenizer, rows, seed=1):
    done = subprocess.run([TOOL, str(tokenizer), str(seed)], input="".join(json.dumps(row) + "\n" for row in rows), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def text(draw):
    return "".join(draw.choice(string.ascii_letters + " \"\\/\n\t한é😀0") for _ in range(draw.randrange(6)))


class Schemas:
    """Random schemas, each with instances that are valid under it."""

    def __init__(self, seed):
        self.draw = random.Random(seed)

    def scalar(self):
        return self.draw.choice([None, True, False, self.draw.randrange(-99, 1000), round(self.draw.uniform(-9, 9), 3), text(self.draw)])

    def any_value(self, depth=2):
        kind = self.draw.randrange(4 if depth else 2)
        if kind == 2:
            return [self.any_value(depth - 1) for _ in range(self.draw.randrange(3))]
        if kind == 3:
            return {text(self.draw): self.any_value(depth - 1) for _ in range(self.draw.randrange(3))}
        return self.scalar()

    def make(self, depth=3):
        """A schema, and a function that draws an instance."""
        kinds = [self.string, self.integer, self.number, self.simple, self.enum]
        if depth > 0:
            kinds += [self.object, self.object, self.array, self.any_of, self.one_of, self.all_of, self.tuple]
        return self.draw.choice(kinds)(depth)

    def string(self, _):
        draw = self.draw
        kind = draw.randrange(3)
        if kind == 0:
            low = draw.randrange(4)
            high = low + draw.randrange(8)
            return {"type": "string", "minLength": low, "maxLength": high}, lambda: "".join(draw.choice("ab한😀\"\\\n") for _ in range(draw.randint(low, high)))
        if kind == 1:
            patterns = {r"^[a-z]{2,4}-\d+$": lambda: "".join(draw.choice("abxyz") for _ in range(draw.randint(2, 4))) + "-" + str(draw.randrange(1000)),
                        r"(foo|b\.r)+$": lambda: draw.choice(["", "x", "\"q"]) + draw.choice(["foo", "b.r"]) * draw.randint(1, 3),
                        r"^[^a-z\"]?[가-힣]*": lambda: draw.choice(["", "A", "가나"]) + draw.choice(["", "tail"]),
                        r"\\": lambda: "a\\b"}
            pattern = draw.choice(list(patterns))
            return {"type": "string", "pattern": pattern}, patterns[pattern]
        return {"type": "string", "title": "any"}, lambda: text(draw)

    def integer(self, _):
        draw = self.draw
        low = draw.choice([None, draw.randrange(-2000, 2000)])
        high = draw.choice([None, (low or 0) + draw.randrange(3000)])
        schema = {"type": "integer"}
        exclusive = draw.random() < 0.3
        if low is not None:
            schema["exclusiveMinimum" if exclusive else "minimum"] = low - exclusive
        if high is not None:
            schema["maximum"] = high
        start = low if low is not None else (high if high is not None else 0) - 5000
        return schema, lambda: draw.randint(start, high if high is not None else start + 100000)

    def number(self, _):
        draw = self.draw
        if draw.random() < 0.4:
            return {"type": "number"}, lambda: draw.choice([draw.uniform(-1e6, 1e6), 1e-7, -2.5e300, 0, -1])
        low = draw.randrange(-50, 50)
        high = low + draw.randrange(1, 200)
        keys = draw.choice([("minimum", "maximum"), ("exclusiveMinimum", "maximum"), ("minimum", "exclusiveMaximum"), ("exclusiveMinimum", "exclusiveMaximum")])
        if draw.random() < 0.2:
            return {"type": "number", keys[0]: low}, lambda: round(low + draw.uniform(0.01, 1e5), 2)
        return {"type": "number", keys[0]: low, keys[1]: high}, lambda: round(min(max(draw.uniform(low, high), low + 0.01), high - 0.01), 2)

    def simple(self, _):
        return self.draw.choice([({"type": "boolean"}, lambda: self.draw.random() < 0.5), ({"type": "null"}, lambda: None), ({}, self.any_value), (True, self.any_value),
                                 ({"type": ["integer", "null"]}, lambda: self.draw.choice([None, 7]))])

    def enum(self, _):
        values = [self.any_value(1) for _ in range(self.draw.randint(1, 4))]
        if self.draw.random() < 0.3:
            return {"const": values[0]}, lambda: values[0]
        return {"enum": values}, lambda: self.draw.choice(values)

    def object(self, depth):
        draw = self.draw
        names = draw.sample(["a", "ab", "b", "name", "이름", "q\"uote", "new\nline", ""], draw.randrange(5))
        made = {name: self.make(depth - 1) for name in names}
        required = [name for name in names if draw.random() < 0.5]
        schema = {"type": "object", "properties": {name: one[0] for name, one in made.items()}, "required": required}
        extra = draw.choice(["closed", "open", "typed"])
        if extra == "closed":
            schema["additionalProperties"] = False
        if extra == "typed":
            schema["additionalProperties"] = {"type": "integer"}

        def instance():
            out = {name: made[name][1]() for name in names if name in required or draw.random() < 0.5}
            if extra != "closed":
                for _ in range(draw.randrange(3)):
                    name = draw.choice(["abc", "nam", "이", "q\"", "new\n", "z", "a\"b"])
                    if name not in names:
                        out[name] = draw.randrange(100)
            return out
        return schema, instance

    def array(self, depth):
        item, draw_item = self.make(depth - 1)
        low = self.draw.randrange(3)
        high = low + self.draw.randrange(3)
        schema = {"type": "array", "items": item, "minItems": low}
        if self.draw.random() < 0.6:
            schema["maxItems"] = high
        return schema, lambda: [draw_item() for _ in range(self.draw.randint(low, high))]

    def tuple(self, depth):
        first, second, rest = (self.make(depth - 1) for _ in range(3))
        low = self.draw.randrange(4)
        closed = self.draw.random() < 0.5 and low <= 2
        schema = {"type": "array", "prefixItems": [first[0], second[0]], "items": False if closed else rest[0], "minItems": low}
        return schema, lambda: [one[1]() for one in [first, second, rest, rest][:self.draw.randint(low, 2 if closed else 4)]]

    def any_of(self, depth):
        branches = [self.make(depth - 1) for _ in range(self.draw.randint(1, 3))]
        return {"anyOf": [one[0] for one in branches]}, lambda: self.draw.choice(branches)[1]()

    def one_of(self, depth):
        branches = [self.object(depth - 1) for _ in range(2)]
        for i, (schema, _) in enumerate(branches):
            schema["properties"] = {"kind": {"const": f"k{i}"}, **schema["properties"]}
            schema["required"] = ["kind", *schema["required"]]

        def instance():
            i = self.draw.randrange(2)
            return {"kind": f"k{i}", **branches[i][1]()}
        return {"oneOf": [one[0] for one in branches]}, instance

    def all_of(self, _):
        draw = self.draw
        low, high = draw.randrange(10), draw.randrange(10, 30)
        return ({"allOf": [{"type": "object", "properties": {"a": {"type": "integer", "minimum": low}}, "required": ["a"]}, {"properties": {"a": {"maximum": high}, "b": {"type": "string"}}}]},
                lambda: {"a": draw.randint(low, high), **({"b": text(draw)} if draw.random() < 0.5 else {})})


def serialised(value, draw):
    return json.dumps(value, ensure_ascii=False, **draw.choice([{}, {"separators": (",", ":")}, {"indent": 2}, {"indent": "\t"}]))


def test_random_schemas(tokenizer):
    """500 schemas with four texts drawn and five valid instances each."""
    made = Schemas(20261127)
    rows, schemas = [], []
    for _ in range(500):
        schema, instance = made.make()
        instances = [instance() for _ in range(5)]
        for one in instances:
            jsonschema.validate(one, schema, jsonschema.Draft202012Validator)
        schemas.append(schema)
        rows.append({"schema": schema, "texts": [serialised(one, made.draw) for one in instances], "draws": 4})
    answers = run(tokenizer, rows)
    drawn = unfinished = 0
    for row, answer in zip(rows, answers, strict=True):
        assert "error" not in answer, (answer, row)
        assert all(answer["accepted"]), (row["schema"], [t for t, ok in zip(row["texts"], answer["accepted"]) if not ok])
        unfinished += answer["unfinished"]
        validator = jsonschema.Draft202012Validator(row["schema"])
        for one in answer["drawn"]:
            drawn += 1
            problem = next(validator.iter_errors(json.loads(one)), None)
            assert problem is None, (row["schema"], one, problem)
    # Tokens drawn blindly seldom come to the end of a pattern that must have a word; those texts are not counted.
    assert drawn > 1300 and unfinished < 0.5 * drawn, (drawn, unfinished)


def test_invalid_is_refused(tokenizer):
    """Values broken in one place: accepted only where jsonschema finds them valid, too."""
    made = Schemas(7)
    rows = []
    for _ in range(600):
        schema, instance = made.make()
        others = [made.any_value() for _ in range(3)]
        one = instance()
        if isinstance(one, dict) and one:
            others += [{key: value for key, value in one.items() if key != drop} for drop in one] + [{**one, "a": made.any_value()}, {**one, "extra": made.any_value()}]
        if isinstance(one, list):
            others += [one[:-1], [*one, made.any_value()]]
        if isinstance(one, (int, float)) and not isinstance(one, bool):
            others += [one - 3000, one + 3000, one + 0.5]
        rows.append({"schema": schema, "values": others, "texts": [json.dumps(other, ensure_ascii=False) for other in others]})
    refused = 0
    for row, answer in zip(rows, run(tokenizer, rows), strict=True):
        validator = jsonschema.Draft202012Validator(row["schema"])
        for value, accepted in zip(row["values"], answer["accepted"], strict=True):
            refused += not accepted
            assert not accepted or validator.is_valid(value), (row["schema"], value)
    assert refused > 500


def test_recursion_and_definitions(tokenizer):
    tree = {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2}},
                                                      "required": ["value"], "additionalProperties": False}}}
    chain = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "required": ["next"], "additionalProperties": False}
    texts = ['{"value": 1, "children": [{"value": 2, "children": []}, {"value": 3}]}', '{"value": 1, "children": [{"value": "x"}]}']
    answers = run(tokenizer, [{"schema": tree, "texts": texts, "draws": 40}, {"schema": chain, "texts": ['{"next": {"next": {"next": null}}}', '{"next": {}}'], "draws": 40}])
    assert answers[0]["accepted"] == [True, False] and answers[1]["accepted"] == [True, False]
    for schema, answer in zip([tree, chain], answers):
        assert len(answer["drawn"]) > 20
        for one in answer["drawn"]:
            jsonschema.validate(json.loads(one), schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("schema, words", [
    ({"type": "object", "properties": {"a": {"not": {}}}}, ["$.properties.a", "'not'"]),
    ({"type": "array", "items": {"type": "string", "patternProperties": {}}}, ["$.items", "'patternProperties'"]),
    ({"type": "array", "uniqueItems": True}, ["'uniqueItems'"]),
    ({"type": "wat"}, ["$.type", "no type"]),
    ({"$ref": "http://example.com/x"}, ["$.$ref"]),
    ({"$ref": "#/$defs/none"}, ["names nothing"]),
    ({"$ref": "#"}, ["nothing that ends"]),
    ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, ["$.oneOf", "may both be valid"]),
    ({"type": "string", "pattern": "(?=a)b"}, ["look ahead"]),
    ({"type": "string", "format": "regex"}, ["$.format"]),
    ({"type": "string", "minLength": 10**9}, ["symbols"]),
    ({"type": "object", "properties": {"a": False}, "required": ["a"]}, ["nothing that ends"]),
    ({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}, {"type": "object"}]}}, "$ref": "#/$defs/a"}, ["without end"]),
    ([], ["a schema must be"]),
    ({"allOf": [{"type": "object", "required": [{}]}, {"required": "a"}]}, ["$.allOf.required", "a list of names"]),
    ({"anyOf": [{"$ref": 5}], "type": "object"}, ["$ref", "a string"]),
    ({"oneOf": [{"type": {}}, {"type": "null"}]}, ["type", "must be"]),
])
def test_errors_name_the_place(tokenizer, schema, words):
    error = run(tokenizer, [{"schema": schema}])[0]["error"]
    assert all(word in error for word in words), error


FORMATS = {"date": ["2024-02-29", "1900-03-31"], "date-time": ["2024-12-31T23:59:59.5+09:00"], "time": ["00:00:00Z"], "uuid": ["123e4567-e89b-12d3-a456-426614174000"],
           "ipv4": ["255.0.10.1"], "email": ["a.b@example.org"]}


def test_formats(tokenizer):
    import datetime
    import ipaddress
    import uuid
    rows = [{"schema": {"type": "string", "format": name}, "texts": [json.dumps(t) for t in texts] + ['"2023-02-29"', '"256.1.1.1"'], "draws": 30} for name, texts in FORMATS.items()]
    check = {"date": datetime.date.fromisoformat, "ipv4": ipaddress.IPv4Address, "uuid": uuid.UUID}
    for (name, texts), answer in zip(FORMATS.items(), run(tokenizer, rows)):
        assert answer["accepted"] == [True] * len(texts) + [False, False], name
        for one in answer["drawn"]:
            if not one.startswith('"0000'):  # Python has no year 0
                check.get(name, str)(json.loads(one))


def test_gbnf(tokenizer):
    grammar = r'''
# a move list, from llama.cpp's documentation in spirit
root  ::= move ("," ws move){0,2} [.!]?
move  ::= piece [a-h] [1-8]   # where to
        | "O-O" ("-O")?
piece ::= "K" | "Q" | ""
ws    ::= [ \t]*
'''
    texts = ["Ke4", "O-O-O, Qa1", "e4,e5,  Kb1!", "e9", "Ke4,", "e4,e4,e4,e4"]
    hangul = 'root ::= [가-힣]{2,3} | "\\uD55C\\u0022" | [^a-z]+ "\\x41"'
    answers = run(tokenizer, [{"gbnf": grammar, "texts": texts, "draws": 20}, {"gbnf": hangul, "texts": ["한글", "한", "한\"", "--A", "aA"]}])
    assert answers[0]["accepted"] == [True, True, True, False, False, False] and answers[0]["drawn"]
    assert answers[1]["accepted"] == [True, False, True, True, False]
    for bad, words in [("root ::= root \"a\" | \"b\"", "begins with itself"), ("root ::= x", "g:1:10: there is no rule 'x'"), ("a ::= \"b\"", "no rule 'root'"),
                       ("root ::= \"a", "ends inside"), ("root ::= [z-a]", "ends before"), ("root ::= " + "(" * 200, "deep"), ("root ::= \"a\"{9999999}", "more than")]:
        assert words in run(tokenizer, [{"gbnf": bad}])[0]["error"]
