"""What errors of other libraries become."""

import pytest

from shieldclip.errors import in_one_line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no\n  such  thing.\n"), "no such thing"),
        (ValueError(""), "ValueError"),
        (OSError("\n"), "OSError"),
    ],
)
def test_another_librarys_error_is_one_line_without_its_last_stop(error, said):
    assert in_one_line(error) == said


def test_long_errors_are_cut():
    assert in_one_line(ValueError("a" * 300), most=200) == "a" * 200
