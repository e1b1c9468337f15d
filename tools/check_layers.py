"""Fails when a file includes a module its own module may not see (layers.txt), when LibTorch shows
where it should not, when all of torch.h is included, or when code below cli prints or exits."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
may = {}
for line in (root / "layers.txt").read_text().splitlines():
    line = line.split("#")[0].strip()
    if line:
        name, _, rest = line.partition(":")
        may[name.strip()] = {name.strip(), *rest.split()}

# Headers of torch modules that are promised to be torch-free: anyone may include them.
TORCH_FREE = {"model/generation.h", "model/language_model.h", "model/sampler.h", "train/new_config.h", "train/options.h", "train/workload.h"}
PRINTS = re.compile(r"\b(?:std::c(?:out|err)|f?printf|puts|perror|abort|exit|_exit)\s*(?:\(|<<)")
MAY_PRINT = {"cli", "engine"}
MAY_EXIT = {"jobs/process.cpp", "jobs/ranks.cpp"}  # between fork and exec

bad = []
for path in sorted((root / "src").rglob("*.[ch]*")):
    inside = path.relative_to(root / "src")
    module = inside.parts[0]
    if module not in may:
        bad.append(f"{inside}: no module '{module}' in layers.txt")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"src/{inside}:{number}"
        if own := re.match(r'#include "(\w+)/([^"]*)"', line):
            target = f"{own[1]}/{own[2]}"
            if own[1] not in may[module]:
                bad.append(f"{where}: {module} may not include {own[1]}")
            elif "torch" in may.get(own[1], ()) and "torch" not in may[module] and target not in TORCH_FREE:
                bad.append(f"{where}: {target} may need LibTorch; {module} has none")
        elif re.match(r"#include <(torch|ATen|c10)/", line):
            if "torch" not in may[module] or str(inside) in TORCH_FREE:
                bad.append(f"{where}: {inside} may not include LibTorch")
        if re.match(r"#include <(torch/(torch|all|nn|extension)|ATen/ATen)\.h>", line):
            bad.append(f"{where}: include the operator's own header, not all of torch")
        code = line.split("//")[0]
        if module not in MAY_PRINT and str(inside) not in MAY_EXIT and PRINTS.search(code):
            if "snprintf" not in code:
                bad.append(f"{where}: nothing below cli prints or exits")
print(*bad, sep="\n", end="\n" if bad else "")
sys.exit(bool(bad))
