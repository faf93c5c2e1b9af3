"""What searches for captions cost, from the records of `transport.py` and `transport_own.py`.

Their tables are printed as the benchmarks print them.
"""

from __future__ import annotations

import transport
import transport_own
from costs.goals import Goal
from costs.stored import Record, Records
from instruction_sets import Instructions
from search_memory import Memory
from transport_own import Brute, Own

PEERS, OWN = "transport", "transport-own"
WANTED = (
    ("the matrix product alone", "worst", "gemm", 0.75),
    ("POT's loop", "worst", "pot_loop", 400),
    ("POT's batch solver", "worst", "pot_batch", 20),
    ("POT's batch solver", "ratios", "pot_batch", 50),
    ("torch.compile", "worst", "torch_compile", 8),
    ("OTT-JAX", "worst", "ott_jax", 30),
)
"""Peer, worst row or mean of ratios, its name there, and times the search that it is to take."""
OVER = {"worst": "worst row", "ratios": "geometric mean"}
SLOWER, AT_EPSILON = 2.5, 0.05
"""Times the search that brute force is to take."""
SHARE = 0.5
"""Of the speed of AVX-512's solver, wanted of AVX2's."""
MEGABYTES = 16
"""That a search may work in."""


def goals(records: Records) -> list[Goal]:
    """Against peers, then against itself."""
    figures = records[PEERS].figures
    against = [
        Goal(
            f"Time of {peer} over the search's, {OVER[kind]}",
            figures[kind].get(key),
            least,
            at_least=True,
        )
        for peer, kind, key, least in WANTED
    ]
    return [*against, *_own_goals(_own(records[OWN]))]


def _own_goals(own: Own) -> list[Goal]:
    slower = min(row.ratio for row in own.brute if row.epsilon == AT_EPSILON)
    speeds = {row.name: row.share for row in own.instructions}
    # Without AVX-512 another instruction set's speed is 1.
    avx2 = speeds.get("avx2") if "avx512" in speeds else None
    most = max(row.search for row in own.memory)
    return [
        Goal(
            f"Time of brute force over the search's, ε {AT_EPSILON}", slower, SLOWER, at_least=True
        ),
        Goal("Speed of AVX2's solver over AVX-512's", avx2, SHARE, at_least=True),
        Goal("Memory that a search works in", most, MEGABYTES, unit="MB"),
    ]


def peers(records: Records) -> str:
    """The search beside other libraries."""
    record = records[PEERS]
    rows = [transport.Row(**row) for row in record.figures["rows"]]
    return _printed(record, transport.as_text(rows, record.figures["recall"]))


def itself(records: Records) -> str:
    """The search beside itself."""
    return _printed(records[OWN], transport_own.as_text(_own(records[OWN])))


def _own(record: Record) -> Own:
    return Own(
        brute=[Brute(**row) for row in record.figures["brute"]],
        instructions=[Instructions(**row) for row in record.figures["instructions"]],
        memory=[Memory(**row) for row in record.figures["memory"]],
    )


def _printed(record: Record, text: str) -> str:
    return f"{record.origin}:\n\n```text\n{text}\n```"
