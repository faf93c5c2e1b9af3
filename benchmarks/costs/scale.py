"""What matching a million pairs would take, from the records of `match_rates.py`."""

from __future__ import annotations

from costs.numbers import significant
from costs.stored import Records
from costs.tables import table

ENCODING, SEARCH = "match-rates-vit-b-32", "match-rates"
JUDGING, JUDGING_LONG = "judge-memory", "judge-memory-long"
NAMES = (ENCODING, SEARCH, JUDGING, JUDGING_LONG)
PAIRS, CORES = 1_000_000, 64
POOLS = {"--pool 20000": 20_000, "--pool 100000": 100_000, "all captions": PAIRS}
"""Captions that every picture is compared with."""
HOUR, GIGABYTE = 3600, 1e9


def rates(records: Records) -> str:
    """What was measured."""
    encoded, searched = records[ENCODING].figures, records[SEARCH].figures
    vectors = f"{encoded['patches']} patches and 1 global vector, {encoded['width']} wide, float16"
    words = f"{encoded['words_per_caption']:.1f} words"
    among = (
        f"{searched['patches']} patches, {searched['search_width']} wide, "
        f"{searched['captions']:,} captions, {100 * searched['solved_share']:.2g} % solved"
    )
    found = [
        (ENCODING, "pictures a second", encoded["pictures_per_second"]),
        (ENCODING, "captions a second", encoded["captions_per_second"]),
        (ENCODING, f"bytes a picture ({vectors})", encoded["bytes_per_picture"]),
        (ENCODING, f"bytes a caption ({words})", encoded["bytes_per_caption"]),
        (ENCODING, "bytes of the largest shards in float32", encoded["memory"]),
        (SEARCH, f"distances a second ({among})", searched["distances_per_second"]),
    ]
    for name in (JUDGING, JUDGING_LONG):
        judged = records[name].figures
        told = f"bytes of judging, a pair with a caption of {judged['words']} words"
        found.append((name, told, judged["judge_bytes_per_pair"]))
    rows = [(name, what, significant(figure, 2)) for name, what, figure in found]
    origins = "\n".join(f"- {name}: {records[name].origin}" for name in NAMES)
    return f"{table(('Record', 'Figure'), ('',), rows)}\n\n{origins}"


def time(records: Records) -> str:
    """That every step of the plan takes."""
    encoded, searched = records[ENCODING].figures, records[SEARCH].figures
    works = [
        ("encode pictures", 1, encoded["pictures_per_second"]),
        ("encode captions", 1, encoded["captions_per_second"]),
        *(
            (f"search, {pool}", captions, searched["distances_per_second"])
            for pool, captions in POOLS.items()
        ),
    ]
    rows = []
    for step, each, rate in works:
        hours = PAIRS * each / rate / HOUR
        shown = (f"{significant(alone, 2)} h" for alone in (hours, hours / CORES))
        times = "10⁶" if each == 1 else f"10⁶ · {each:,}"
        rows.append((step, f"{times} / {significant(rate, 2)} s", *shown))
    return table(("Step", ""), ("one core", f"{CORES} cores"), rows)


def space(records: Records) -> str:
    """On disk and in memory."""
    encoded, judged = records[ENCODING].figures, records[JUDGING].figures
    needs = [
        ("disk", "features of pictures", PAIRS * encoded["bytes_per_picture"]),
        ("disk", "features of captions", PAIRS * encoded["bytes_per_caption"]),
        ("memory", "of a process: the largest shards", encoded["memory"]),
        ("memory", "of rank 0, which judges all pairs", PAIRS * judged["judge_bytes_per_pair"]),
    ]
    rows = [(where, what, f"{significant(need / GIGABYTE, 2)} GB") for where, what, need in needs]
    return table(("Needed", ""), ("",), rows)
