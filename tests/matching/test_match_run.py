"""`match` from a source to a folder, killed, resumed and shared."""

from __future__ import annotations

import json
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from matching_parts import POISONED, SyntheticEncoder, columns, concepts, write_pairs

from shieldclip.attacks.manifest import Entry, Manifest
from shieldclip.data import open_source
from shieldclip.data.parts import Part
from shieldclip.errors import ShieldCLIPError
from shieldclip.matching import MatchSettings, cache, load_table, match, shards
from shieldclip.matching.page import risky_pairs
from shieldclip.matching.search import approximate_recall
from shieldclip.matching.shards import Worker

pytestmark = pytest.mark.usefixtures("small_shards")
MANIFEST = Manifest(
    tuple(Entry(row, "test", "w0", ("was",), tuple(new)) for row, new in POISONED.items())
)


@pytest.fixture
def source(tmp_path):
    return write_pairs(tmp_path / "pairs.parquet", POISONED, label=True)


def test_poisons_are_found_and_repaired(source, tmp_path):
    out = tmp_path / "out"
    settings = MatchSettings(keep_risky=True)
    summary = match(source, SyntheticEncoder(), out, settings, manifest=MANIFEST)
    decision, new, gap, flag = columns(out, "decision", "new_caption", "gap", "poisoned")
    shown = concepts(60)
    for row in range(60):
        assert flag[row] == (row in POISONED)
        assert decision[row] == ("recaption" if row in POISONED else "keep")
        if row not in POISONED:
            assert gap[row] == 0
    for row in POISONED:  # a caption that shares words with the picture
        assert {f"w{word}" for word in shown[row]} & set(new[row].split())
    assert summary.detection.roc_auc.value == 1
    assert (summary.kept, summary.recaptioned, summary.dropped) == (56, 4, 0)
    assert json.loads((out / "summary.json").read_text())["recaptioned"] == 4

    cleaned = open_source(str(out / "cleaned"))
    assert [captions[0] for captions in cleaned.captions] == [
        new[row] if row in POISONED else f"w{a} w{b}" for row, (a, b) in enumerate(shown)
    ]
    assert cleaned.classes == ("even", "odd")
    assert cleaned.labels == source.labels
    assert cleaned.rows[5]["image"]["bytes"] == source.rows[5]["image"]["bytes"]
    places = pq.read_table(out / "cleaned" / "data.parquet")["source_row"].to_pylist()
    assert places == list(range(60))


def test_several_captions_a_row_are_judged_apart(tmp_path):
    good = {row: [f"w{a} w{b}", f"w{b} w{a}"] for row, (a, b) in enumerate(concepts(60))}
    good[9] = [good[9][0], "w0 w0"]
    good[12] = ["w0 w0", "w0"]
    source = write_pairs(tmp_path / "pairs.parquet", good)
    out = tmp_path / "out"
    match(source, SyntheticEncoder(), out)
    rows, decision = columns(out, "row", "decision")
    risky = [row for row, decided in zip(rows, decision, strict=True) if decided != "keep"]
    assert risky == [9, 12, 12]
    captions = open_source(str(out / "cleaned")).captions
    assert captions[9][0] == good[9][0]
    assert len(captions[12]) == 1  # both became the same


def test_page_is_self_contained_and_escaped(tmp_path):
    captions = {**POISONED, 3: ["w0 <script>alert(1)</script>"]}
    out = tmp_path / "out"
    match(write_pairs(tmp_path / "pairs.parquet", captions), SyntheticEncoder(), out)
    page = (out / "matching.html").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "4 of 60 pairs are distrusted" in page
    assert 'href="http' not in page
    assert 'src="http' not in page
    assert "Transport plan of row" in page


def test_page_shows_the_riskiest_pairs_first(tmp_path):
    """Risk before gap; infinite gaps come first among equals, and every row once."""
    source = write_pairs(tmp_path / "pairs.parquet")
    columns = {
        "row": [0, 1, 2, 3, 3, 4, 5],
        "risk": [0.1, 0.9, 1.0, 1.0, 0.8, None, 0.3],
        "gap": [0.9, 0.1, 0.4, np.inf, 0.7, None, 0.0],
        "own_distance": [1.0] * 7,
        "best_distance": [0.5] * 7,
        **{name: ["w1"] * 7 for name in ("caption", "new_caption", "decision")},
    }
    shown = risky_pairs(source, pa.table(columns))
    assert [(pair.row, pair.gap, pair.risk) for pair in shown] == [
        (3, "∞", "1.000"),
        (2, "0.400", "1.000"),
        (1, "0.100", "0.900"),
        (0, "0.900", "0.100"),
    ]
    assert [pair.row for pair in risky_pairs(source, pa.table(columns), limit=2)] == [3, 2]


def test_page_draws_a_caption_without_a_word(tmp_path):
    out = tmp_path / "out"
    match(write_pairs(tmp_path / "pairs.parquet", {4: ["!!"]}), SyntheticEncoder(), out)
    page = (out / "matching.html").read_text("utf-8")
    assert "gap ∞ (∞" in page
    assert "Transport plan of row 4" in page


@pytest.mark.parametrize("survive", [1, 3, 5, 9, 12])
def test_killed_and_resumed_equals_one_run(source, tmp_path, monkeypatch, survive):
    whole, out = tmp_path / "whole", tmp_path / "out"
    match(source, SyntheticEncoder(), whole)
    saved = []
    write = shards.save_shard

    def dying(path, arrays):
        if len(saved) == survive:
            raise KeyboardInterrupt
        saved.append(path)
        write(path, arrays)

    for module in ("cache", "distances"):
        monkeypatch.setattr(f"shieldclip.matching.{module}.save_shard", dying)
    with pytest.raises(KeyboardInterrupt):
        match(source, SyntheticEncoder(), out)
    for module in ("cache", "distances"):
        monkeypatch.setattr(f"shieldclip.matching.{module}.save_shard", write)
    times = {path: path.stat().st_mtime_ns for path in saved}
    match(source, SyntheticEncoder(), out, resume=True)
    assert times == {path: path.stat().st_mtime_ns for path in saved}
    assert load_table(out / "matches.parquet").equals(load_table(whole / "matches.parquet"))


@pytest.mark.parametrize("resume", [False, True])
def test_killed_before_its_record_is_whole_a_folder_counts_as_empty(
    source, tmp_path, monkeypatch, resume
):
    def killed(*_, **__):
        patched.setattr(Path, "unlink", killed)  # a kill leaves no time to tidy up
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", killed)
        match(source, SyntheticEncoder(), out)
    assert [path.suffix for path in out.iterdir()] == [".part"]
    assert match(source, SyntheticEncoder(), out, resume=resume).pairs == 60


def test_features_are_encoded_once_whatever_the_settings(source, tmp_path):
    out = tmp_path / "out"
    match(source, SyntheticEncoder(), out)
    encoder = SyntheticEncoder()
    match(source, encoder, out, MatchSettings(alpha=0.0), resume=True)
    assert encoder.calls <= 5  # the grey picture, and the one whose plan is drawn
    assert json.loads((out / "summary.json").read_text())["settings"]["alpha"] == 0


def test_damaged_shards_are_made_again(source, tmp_path):
    out = tmp_path / "out"
    match(source, SyntheticEncoder(), out)
    before = load_table(out / "matches.parquet")
    for path in (out / "cache").rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:50])
    match(source, SyntheticEncoder(), out, resume=True)
    assert load_table(out / "matches.parquet").equals(before)


def test_two_processes_share_the_work(source, tmp_path):
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    match(source, SyntheticEncoder(), alone)
    encoders = SyntheticEncoder(), SyntheticEncoder()
    results = {}

    def process(rank):
        results[rank] = match(source, encoders[rank], shared, worker=Worker(rank, 2))

    threads = [threading.Thread(target=process, args=(rank,)) for rank in (1, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results[1] is None
    assert results[0].pairs == 60
    assert all(encoder.calls < 80 for encoder in encoders)  # twice 60 if one did it all
    assert load_table(shared / "matches.parquet").equals(load_table(alone / "matches.parquet"))


@pytest.mark.parametrize(("rank", "world"), [("2", "2"), ("-1", "2"), ("x", "2"), ("0", "0")])
def test_impossible_ranks_are_refused(monkeypatch, rank, world):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", world)
    with pytest.raises(ShieldCLIPError, match="RANK"):
        Worker.from_environment()


def test_folders_of_others_are_left_alone(source, tmp_path):
    out = tmp_path / "out"
    match(source, SyntheticEncoder(), out)
    with pytest.raises(ShieldCLIPError, match="--resume"):
        match(source, SyntheticEncoder(), out)
    with pytest.raises(ShieldCLIPError, match="same model and data"):
        match(source, SyntheticEncoder(seed=1), out, resume=True)
    other = write_pairs(tmp_path / "other.parquet", rows=30)
    with pytest.raises(ShieldCLIPError, match="same model and data"):
        match(other, SyntheticEncoder(), out, resume=True)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("keep")
    with pytest.raises(ShieldCLIPError, match="other files"):
        match(source, SyntheticEncoder(), mine, resume=True)
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]


def test_a_feature_that_is_no_number_names_its_row(source, tmp_path):
    class Broken(SyntheticEncoder):
        def encode_image(self, images):
            features = super().encode_image(images)
            # Row 33 shows these words.
            a, b = concepts(60)[33]
            own = (images[:, 0, 0, 0] * 255 / 16).round() == a
            own &= (images[:, 0, -1, -1] * 255 / 16).round() == b
            return features.masked_fill(own[:, None], torch.nan)

    first = concepts(60).index(concepts(60)[33])
    with pytest.raises(ShieldCLIPError, match=rf"picture of row {first};"):
        match(source, Broken(), tmp_path / "out")


def test_an_infinite_word_names_its_caption(source, tmp_path):
    class Broken(SyntheticEncoder):
        def token_features(self, texts):
            features, mask = super().token_features(texts)
            features = features.clone()
            for row, text in enumerate(texts):
                if text == "w0 w0":
                    features[row, 1] = torch.inf
            return features, mask

    with pytest.raises(ShieldCLIPError, match="caption 'w0 w0'"):
        match(source, Broken(), tmp_path / "out")


def test_models_that_cannot_match_are_refused():
    class Narrow(SyntheticEncoder):
        def token_features(self, texts):
            features, mask = super().token_features(texts)
            return features[..., :5], mask

    class Wordless(SyntheticEncoder):
        def token_features(self, texts):
            features, mask = super().token_features(texts)
            return features, torch.zeros_like(mask)

    for encoder, message in (
        (Narrow(), "in one space"),
        (Wordless(), "words in the tokens"),
        (object(), "token_features"),
    ):
        with pytest.raises(ShieldCLIPError, match=message):
            cache.check_encoder(encoder, ["w1 w2"])


def test_a_caption_without_a_word_has_risk_one(tmp_path):
    out = tmp_path / "out"
    source = write_pairs(tmp_path / "pairs.parquet", {4: ["!!"]})
    match(source, SyntheticEncoder(), out, MatchSettings(keep_risky=True))
    risk, decision, new = columns(out, "risk", "decision", "new_caption")
    assert risk[4] == 1
    assert decision[4] == "recaption"
    assert new[4] != "!!"
    assert "!!" not in new


def test_sampled_pool_and_candidates(source, tmp_path):
    sampled = match(source, SyntheticEncoder(), tmp_path / "a", MatchSettings(pool=12))
    assert sampled.pool == 12
    assert sampled.work.pairs == 60 * 12
    (gap,) = columns(tmp_path / "a", "gap")
    assert min(gap) == 0
    approximate = match(source, SyntheticEncoder(), tmp_path / "b", MatchSettings(candidates=3))
    assert 0.9 <= approximate.recall <= 1
    assert approximate.work.pairs < 60 * approximate.pool
    assert sampled.recall is None


def test_recall_holds_one_part_of_the_pool_at_a_time(source, tmp_path, monkeypatch):
    def spy(images, pool, *rest):
        chunks = [weakref.ref(captions) for _, captions in pool]
        assert len(chunks) > 2
        assert sum(chunk() is not None for chunk in chunks) <= 1
        return approximate_recall(images, pool, *rest)

    monkeypatch.setattr("shieldclip.matching.run.approximate_recall", spy)
    summary = match(source, SyntheticEncoder(), tmp_path / "out", MatchSettings(candidates=30))
    assert summary.recall == 1


def test_fewer_captions_than_a_batch(tmp_path):
    captions = {row: [f"w{1 + row % 2}"] for row in range(12)}
    source = write_pairs(tmp_path / "pairs.parquet", captions, rows=12)
    summary = match(source, SyntheticEncoder(), tmp_path / "out")
    assert summary.pool == 2
    assert np.isfinite(columns(tmp_path / "out", "own_distance")[0]).all()


def test_wrong_manifests_and_data_are_refused_before_any_work(source, tmp_path):
    out = tmp_path / "out"
    far = Manifest((Entry(60, "test", "w0", ("was",), ("is",)),))
    for manifest in (far, Manifest(())):
        with pytest.raises(ShieldCLIPError, match="manifest of rows 0 to 59"):
            match(source, SyntheticEncoder(), out, manifest=manifest)
    with pytest.raises(ShieldCLIPError, match="--caption-column"):
        match(replace(source, rows=source.rows.remove_columns("captions")), SyntheticEncoder(), out)
    assert not out.exists()


def test_a_part_is_judged_as_within_the_whole(source, tmp_path):
    """Same captions to choose from, so the same distances, by models that may differ."""
    seeing_all = SyntheticEncoder()
    match(source, seeing_all, tmp_path / "whole")
    names = ("row", "caption", "own_distance", "new_caption", "best_distance", "gap")
    whole = list(zip(*columns(tmp_path / "whole", *names), strict=True))
    judged = []
    for number in (1, 2):
        out, encoder = tmp_path / str(number), SyntheticEncoder()
        summary = match(source, encoder, out, part=Part(number, 2), manifest=MANIFEST)
        of_part = list(zip(*columns(out, *names), strict=True))
        assert summary.rows == len(of_part) < len(whole)
        assert encoder.calls < seeing_all.calls
        places = pq.read_table(out / "cleaned" / "data.parquet")["source_row"].to_pylist()
        assert set(places) <= {row for row, *_ in of_part}
        judged += of_part
    assert sorted(judged) == whole


def test_a_folder_of_another_part_is_refused(source, tmp_path):
    match(source, SyntheticEncoder(), tmp_path / "out", part=Part(1, 2))
    with pytest.raises(ShieldCLIPError, match="same model and data"):
        match(source, SyntheticEncoder(), tmp_path / "out", part=Part(2, 2), resume=True)


def test_a_manifest_without_poisons_in_the_part_is_refused(source, tmp_path):
    part = Part(1, 2)
    elsewhere = next(row for row in POISONED if row not in part.of_rows(source.rows))
    manifest = MANIFEST.select([elsewhere])
    moved = Manifest((replace(manifest.entries[0], row=elsewhere),))
    with pytest.raises(ShieldCLIPError, match="leave out --manifest"):
        match(source, SyntheticEncoder(), tmp_path / "out", part=part, manifest=moved)
