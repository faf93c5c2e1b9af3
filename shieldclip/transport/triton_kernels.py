"""Triton kernels of the nearest-caption search: one program a pair, the plan never in memory.

Importing this module needs Triton; `shieldclip.transport.triton_search` does so when it is used.
Cosines come as ``S [i, P, T]``, T counting the words of all captions of a block, and
``offsets [n + 1]`` says whose they are.
"""
# mypy: disable-error-code="import-untyped, untyped-decorator, no-untyped-def"

from __future__ import annotations

import triton
import triton.language as tl

FAR = tl.constexpr(4.0)
"""Above any cost (1 - cosine is at most 2): what masked entries hold while minima are taken."""
MINUS_LOG2_E = tl.constexpr(-1.4426950408889634)


@triton.jit
def load_costs(
    cosines,
    image,
    first,
    words,
    patches,
    width,
    tile_rows: tl.constexpr,
    tile_columns: tl.constexpr,
):
    """The costs of a pair and where they are: ``[tile_rows, tile_columns]``, masked ones FAR."""
    row = tl.arange(0, tile_rows)
    column = tl.arange(0, tile_columns)
    inside = (row < patches)[:, None] & (column < words)[None, :]
    place = (image * patches + row)[:, None] * width + (first + column)[None, :]
    cosine = tl.load(cosines + place, mask=inside, other=1.0 - FAR)
    return 1.0 - cosine.to(tl.float32), inside


@triton.jit
def shift(cost, patches, words, tile_rows: tl.constexpr, tile_columns: tl.constexpr):
    """Row minima f and column minima g of what is left (one c-transform), 0 where masked."""
    row = tl.arange(0, tile_rows)
    column = tl.arange(0, tile_columns)
    f = tl.where(row < patches, tl.min(cost, axis=1), 0.0)
    left = tl.where((row < patches)[:, None], cost - f[:, None], FAR)
    g = tl.where(column < words, tl.min(left, axis=0), 0.0)
    return f, g


@triton.jit
def bounds_kernel(
    cosines,  # [i, P, T]
    offsets,  # [n + 1] int64
    bounds,  # [i, n] float32, written to
    captions,
    patches,
    width,
    tile_rows: tl.constexpr,
    tile_columns: tl.constexpr,
):
    """Lower bound ``Σ a f + Σ b g`` of every pair; infinite for empty captions."""
    pair = tl.program_id(0).to(tl.int64)
    image, caption = pair // captions, pair % captions
    first = tl.load(offsets + caption)
    words = tl.load(offsets + caption + 1) - first
    cost, _ = load_costs(cosines, image, first, words, patches, width, tile_rows, tile_columns)
    f, g = shift(cost, patches, words, tile_rows, tile_columns)
    bound = tl.sum(f, axis=0) / patches + tl.sum(g, axis=0) / tl.maximum(words, 1)
    tl.store(bounds + pair, tl.where(words > 0, bound, float("inf")))


@triton.jit
def solve_kernel(
    cosines,  # [i, P, T]
    offsets,  # [n + 1] int64
    images,  # [R] int64
    captions,  # [R] int64
    linear,  # [R] float32, written to, as the next two
    errors,
    iterations,  # [R] int32
    patches,
    width,
    epsilon,
    tolerance,
    max_iterations,
    deepest,  # Spread of costs, in units of ε, that float32 scalings stand.
    tile_rows: tl.constexpr,
    tile_columns: tl.constexpr,
):
    """``<T, C>`` of R pairs, by scaling; a spread too deep is left with an infinite error."""
    pair = tl.program_id(0).to(tl.int64)
    image, caption = tl.load(images + pair), tl.load(captions + pair)
    first = tl.load(offsets + caption)
    words = tl.load(offsets + caption + 1) - first
    cost, inside = load_costs(cosines, image, first, words, patches, width, tile_rows, tile_columns)
    f, g = shift(cost, patches, words, tile_rows, tile_columns)
    depth = tl.where(inside, cost - f[:, None] - g[None, :], 0.0) / epsilon
    kernel = tl.where(inside, tl.exp2(depth * MINUS_LOG2_E), 0.0)
    a = tl.where(tl.arange(0, tile_rows) < patches, 1.0 / patches, 0.0)
    b = tl.where(tl.arange(0, tile_columns) < words, 1.0 / tl.maximum(words, 1), 0.0)
    # Masked sums are set to 1 before anything is divided by them.
    row_pad = tl.where((a > 0) & (words > 0), 0.0, 1.0)
    column_pad = tl.where(b > 0, 0.0, 1.0)
    next_row_sums = tl.sum(kernel * b[None, :], axis=1) + row_pad
    u, w, row_sums = a, b, next_row_sums
    # Decided before the loop: an empty caption would never come within the tolerance.
    solvable = (words > 0) & (tl.max(tl.max(depth, axis=1), axis=0) <= deepest)
    error = tl.where(solvable, float("inf"), 0.0)
    done = 0
    while (done < max_iterations) & (error > tolerance):
        row_sums = next_row_sums
        u = a / row_sums
        w = b / (tl.sum(kernel * u[:, None], axis=0) + column_pad)
        next_row_sums = tl.sum(kernel * w[None, :], axis=1) + row_pad
        error = tl.sum(tl.abs(u * next_row_sums - a), axis=0)
        done += 1
    plan = u[:, None] * kernel * w[None, :]
    potential = f - epsilon * tl.log(row_sums)
    missing = tl.where(a > 0, a - u * next_row_sums, 0.0)
    # Costs again from the kernel: held through the loop, they would fill the registers.
    reduced = -epsilon * tl.log(tl.where(kernel > 0, kernel, 1.0))
    total = tl.sum(tl.sum(plan * (reduced + f[:, None] + g[None, :]), axis=1), axis=0)
    total += tl.sum(missing * potential, axis=0)
    tl.store(linear + pair, tl.where(words > 0, total, float("inf")))
    tl.store(errors + pair, tl.where(solvable | (words == 0), error, float("inf")))
    tl.store(iterations + pair, done)
