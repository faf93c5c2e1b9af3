"""Compare the Triton search with the torch search: ``python compare_triton.py DEVICE``.

A program of its own, as Triton decides on import whether kernels are compiled or interpreted.
"""

import sys

import torch
from torch.nn.functional import normalize

from shieldclip.transport.bags import Bags
from shieldclip.transport.search_settings import SearchSettings
from shieldclip.transport.torch_search import TorchBlock
from shieldclip.transport.torch_search import search as torch_search
from shieldclip.transport.triton_search import TritonBlock
from shieldclip.transport.triton_search import search as triton_search


def make_problem(device):
    """Patches that are no power of two, an empty caption, one word, repeats."""
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([0, 1, 3, 5, 2, 0, 4, 3])
    words = normalize(torch.randn(int(sizes.sum()), 8, generator=generator), dim=1)
    offsets = torch.nn.functional.pad(sizes.cumsum(0), (1, 0))
    captions = Bags(words.to(device), offsets).select(torch.tensor([*range(8), 2, 3]))
    patches = normalize(torch.randn(2, 5, 8, generator=generator), dim=-1)
    return patches.to(device), captions


def compare_blocks(patches, captions, settings):
    """Bounds of all pairs; problems of all, the empty captions among them."""
    ours, theirs = (kind(patches, captions, settings) for kind in (TritonBlock, TorchBlock))
    torch.testing.assert_close(ours.bounds(), theirs.bounds(), atol=1e-6, rtol=0)
    image, caption = torch.ones(2, len(captions), device=patches.device).nonzero(as_tuple=True)
    left, right = ours.solve(image, caption), theirs.solve(image, caption)
    torch.testing.assert_close(left.linear, right.linear, atol=1e-5, rtol=0)
    assert left.converged.equal(right.converged)
    empty = (captions.sizes == 0).to(caption.device)[caption]
    assert not left.iterations[empty].any()


def main(device):
    patches, captions = make_problem(device)
    for epsilon in (0.1, 0.005):  # By scaling; too deep for it.
        settings = SearchSettings(epsilon=epsilon, max_iterations=100)
        compare_blocks(patches, captions, settings)
        ours = triton_search(patches, captions, settings)
        theirs = torch_search(patches, captions, settings)
        assert ours.index.equal(theirs.index), (ours.index, theirs.index)
        torch.testing.assert_close(ours.distance, theirs.distance)
    print("equal")


if __name__ == "__main__":
    main(sys.argv[1])
