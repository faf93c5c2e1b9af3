"""Files are written whole or not at all."""

import os

import pytest

from shieldclip.drafts import draft_of, drafted, drafted_per_process, write_text


@pytest.fixture(params=[drafted, drafted_per_process])
def writing(request):
    return request.param


def test_a_file_takes_its_place_when_it_is_done(tmp_path, writing):
    path = tmp_path / "new" / "folder" / "file"
    with writing(path) as draft:
        draft.write_text("whole")
        assert draft.parent == path.parent and not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path, writing):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), writing(path) as draft:
        draft.write_text("ha")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_before_anything_is_written_is_the_one_that_is_seen(tmp_path, writing):
    with pytest.raises(ValueError, match="nothing yet"), writing(tmp_path / "file"):
        raise ValueError("nothing yet")
    assert not list(tmp_path.iterdir())


def test_what_a_kill_left_is_written_anew(tmp_path):
    path = tmp_path / "file"
    draft_of(path).write_text("cut off, and longer than the whole")
    write_text(path, "whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path, writing):
    path = tmp_path / "folder"
    for name in "12":
        with writing(path) as draft:
            draft.mkdir()
            (draft / name).touch()
    with pytest.raises(KeyboardInterrupt), writing(path) as draft:
        draft.mkdir()
        raise KeyboardInterrupt
    assert sorted(tmp_path.rglob("*")) == [path, path / "2"]


def test_a_file_takes_no_folders_place_nor_a_folder_a_files(tmp_path, writing):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(IsADirectoryError), writing(tmp_path / "folder") as draft:
        draft.write_text("")
    with pytest.raises(NotADirectoryError), writing(tmp_path / "file") as draft:
        draft.mkdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "mine"


def test_what_a_kill_left_of_a_folder_is_made_anew(tmp_path):
    path = tmp_path / "folder"
    for part in (draft_of(path), path.with_name(".folder.old")):
        part.mkdir()
        (part / "left").touch()
    with drafted(path) as draft:
        draft.mkdir()
    assert list(tmp_path.rglob("*")) == [path]


def test_processes_draft_one_file_apart(tmp_path, monkeypatch):
    path = tmp_path / "file"
    with drafted_per_process(path) as own:
        own.write_text("own")
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with drafted_per_process(path) as other:
            other.write_text("other")
        assert path.read_text() == "other"
    assert path.read_text() == "own"


def test_text_is_utf_8_and_its_line_ends_stay(tmp_path):
    write_text(tmp_path / "file", "naïve 図\r\nα\n")
    assert (tmp_path / "file").read_bytes() == "naïve 図\r\nα\n".encode()
