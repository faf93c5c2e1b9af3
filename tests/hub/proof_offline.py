"""The same cache, without a network: what is there works, the rest says so. Prints JSON.

python proof_offline.py RUN REPORT
"""

from __future__ import annotations

import json
import sys

import datasets
from proof_pull import logits, measure
from proof_push import shieldclip

if __name__ == "__main__":
    run, report = sys.argv[1:]
    found = {
        "logits": logits("org/tiny"),
        "eval": measure("org/tiny"),
        "missing": measure("org/nothing"),
        "rows": datasets.load_dataset("org/pictures", split="test")["label"][:],
        "push": shieldclip("push", run, "org/tiny", "--report", report),
    }
    print(json.dumps(found))
