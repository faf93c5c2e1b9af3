"""The Triton backend: what it finds, in Triton's interpreter; and on a GPU where there is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("triton")

COMPARISON = Path(__file__).with_name("compare_triton.py")


def test_interpreted_kernels_find_what_torch_finds():
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    command = [sys.executable, str(COMPARISON), "cpu"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "equal"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_compiled_kernels_find_what_torch_finds():
    command = [sys.executable, str(COMPARISON), "cuda"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "equal"
