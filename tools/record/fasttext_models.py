#!/usr/bin/env python3
"""Tiny fastText models of every kind and what libfasttext says with them and with lid.176.ftz.

Needs the PyPI package fasttext-numpy2-wheel (libfasttext 0.9.2) and, for the language model, a
lid.176.ftz (tools/get_lid). Writes tests/fixtures/fasttext.

    python tools/record/fasttext_models.py LID.FTZ CORPORA_DIR
"""
import glob, hashlib, io, json, os, random, subprocess, sys, tempfile
import fasttext

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "tests", "fixtures", "fasttext")
os.makedirs(out, exist_ok=True)
random.seed(7)

GOOD = ["우리는 문서를 차분히 읽고 근거를 살핀다", "연구 결과는 표와 그림으로 정리되었다", "the results are shown in the second table",
        "each chapter explains one idea with an example", "법률은 국회의 의결을 거쳐 공포된다", "water boils at one hundred degrees"]
BAD = ["지금 바로 클릭 무료 쿠폰 받기", "최저가 보장 특가 할인 이벤트", "click here to win a free prize now", "buy cheap pills online best offer",
       "대출 상담 무료 전화 주세요", "casino bonus free spins click"]
MIXED = ["오늘 날씨가 좋다", "let us meet at noon", "점심 뭐 먹지", "see you later"]
rows = []
for _ in range(60):
    for label, group in (("good", GOOD), ("bad", BAD), ("chat", MIXED)):
        words = random.choice(group).split() + random.choice(group).split()
        random.shuffle(words)
        rows.append(f"__label__{label} " + " ".join(words[: random.randint(3, 9)]))
with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as f:
    f.write("\n".join(rows) + "\n")

common = dict(input=f.name, epoch=60, lr=0.1, thread=10, verbose=0, dim=8, bucket=300, seed=3)
kinds = {
    "softmax.bin": dict(loss="softmax", wordNgrams=2, minn=0, maxn=0),
    "hs.bin": dict(loss="hs", wordNgrams=1, minn=2, maxn=4),
    "ova.bin": dict(loss="ova", wordNgrams=3, minn=1, maxn=3),
    "words.bin": dict(loss="softmax", wordNgrams=1, minn=0, maxn=0),
}
texts = ["", " ", "\t", "click free 무료", "연구 결과는 표와", "오늘 점심", "unknownword", "click", "__label__good", "__label__new click",
         "see </s> you click", "good  \v spaced\f text", "ㅋㅋㅋㅋ 대출", "the results the results the results", "a b c d e f g h", "무료쿠폰",
         "x" * 3000] + [r.split(" ", 1)[1] for r in rows[:40]]
golden = {"fasttext": "fasttext-numpy2-wheel 0.9.2", "models": {}}


def ask(model, texts, k):
    answer = []
    for text in texts:
        labels, scores = model.predict(text, k=k)
        answer.append([[l.replace("__label__", ""), float(s)] for l, s in zip(labels, scores)])
    return answer


def keep(name, model):
    path = os.path.join(out, name)
    model.save_model(path)
    golden["models"][name] = {"sha256": hashlib.sha256(open(path, "rb").read()).hexdigest(), "answers": ask(model, texts, -1)}


# libfasttext 0.9.2 with few threads leaves part of the first weights unwritten: give it zeros.
if os.environ.get("MALLOC_PERTURB_") != "255":
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "MALLOC_PERTURB_": "255"})


def train(**options):
    return fasttext.train_supervised(**{**common, **options})


for name, options in kinds.items():
    keep(name, train(**options))
for name, options in {"plain.ftz": dict(qnorm=False, qout=False), "norm.ftz": dict(qnorm=True, qout=False)}.items():
    # 256 centroids want 256 rows and more.
    model = train(**{**kinds["softmax.bin"], "minn": 2, "maxn": 3, "bucket": 700, "dim": 5})
    model.quantize(dsub=2, thread=1, **options)
    keep(name, model)
model = train(**{**kinds["softmax.bin"], "minn": 2, "maxn": 3, "bucket": 2000})
model.quantize(input=f.name, cutoff=400, retrain=True, epoch=2, lr=0.1, thread=1, dsub=2, qnorm=True, verbose=0)
keep("pruned.ftz", model)
with open(f.name, "w") as many:  # quantising the output wants 256 labels and more
    for i in range(900):
        many.write(f"__label__l{i % 260} w{i % 260} v{i % 37} u{i % 11}\n")
texts += ["w1 v1 u1", "w259 v3", "v36 u10 w100"]
for name in golden["models"]:
    golden["models"][name]["answers"] = ask(fasttext.load_model(os.path.join(out, name)), texts, -1)
LANGUAGES = {"kor_Hang": GOOD[:2] + BAD[:2] + MIXED[::2], "en": GOOD[2:4] + BAD[2:4] + MIXED[1::2], "deu": ["das ist ein Satz mit vielen Worten", "wir lesen heute die Zeitung"]}
with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as languages:
    for i in range(300):
        label = list(LANGUAGES)[i % 3]
        languages.write(f"__label__{label} {random.choice(LANGUAGES[label])}\n")
keep("language.bin", train(input=languages.name, minn=2, maxn=3, bucket=500, dim=8, loss="softmax"))
model = train(dim=4, loss="softmax", epoch=5)
model.quantize(dsub=2, qnorm=True, qout=True, thread=1)
keep("qout.ftz", model)
golden["models"]["qout.ftz"]["answers"] = ask(model, texts, 5)
golden["texts"] = texts

lid, corpora = sys.argv[1:3]
model = fasttext.load_model(lid)
samples = ["이것은 한국어 문장입니다.", "This is an English sentence.", "これは日本語の文です。", "这是一个中文句子。", "Dies ist ein deutscher Satz.",
           "Ceci est une phrase française.", "Это предложение на русском языке.", "هذه جملة باللغة العربية", "Esta es una frase en español.",
           "ประโยคภาษาไทย", "यह एक हिंदी वाक्य है", "Đây là một câu tiếng Việt", "", "12345", "!!!", "ㅋㅋㅋㅋㅋ", "for (int i = 0; i < n; ++i)", "한글 and English 섞인 문장 mixed"]
for path in sorted(glob.glob(os.path.join(corpora, "*.jsonl.zst"))):
    text = subprocess.run(["zstd", "-dc", path], capture_output=True).stdout.decode().split("\n")
    for line in text[5:400:60]:
        if line:
            body = json.loads(line)["text"].replace("\n", " ")
            samples.append(body[: random.choice([60, 200, 600])])
golden["lid"] = {"sha256": hashlib.sha256(open(lid, "rb").read()).hexdigest(), "texts": samples, "answers": ask(model, samples, 3)}
with open(os.path.join(out, "golden.json"), "w") as f:
    json.dump(golden, f, ensure_ascii=False, indent=0)
