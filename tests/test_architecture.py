"""No room opens a door that is not its own (the table of layers)."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "shieldclip"

GROUND = {"errors", "types", "strict", "progress", "pages", "drafts"}
"""Small things that every room stands on; of ours they import `errors` at most."""
MAY_IMPORT = {
    **{module: {"errors"} for module in GROUND},
    "attacks": GROUND,
    "data": GROUND,
    "knowledge": GROUND,
    "transport": GROUND,
    "matching": GROUND | {"transport", "data", "attacks"},
    "modeling": GROUND | {"matching", "transport"},
    "encoders": GROUND | {"modeling"},
    "training": GROUND | {"modeling", "matching", "knowledge", "transport", "attacks", "data"},
    "explanation": GROUND | {"encoders", "modeling", "attacks", "data"},
    "demo": GROUND | {"explanation", "attacks", "data"},
    "adversary": GROUND | {"encoders", "matching", "knowledge", "transport", "attacks", "data"},
    "evaluation": GROUND | {"attacks", "data", "encoders", "transport"},
    "export": GROUND | {"encoders"},
    "hub": GROUND | {"evaluation", "encoders", "attacks"},
}
"""Room -> rooms it may import; the command line may import anything, inside functions."""


def rooms_imported(file: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("shieldclip.")}
    return rooms


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_room_imports_only_what_it_may(room):
    path = PACKAGE / room
    files = list(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    assert files
    for file in files:
        assert rooms_imported(file) <= MAY_IMPORT[room] | {room}, file


def test_every_room_is_in_the_table():
    data_only = {"cli", "zoo", "suites"}
    rooms = {path.stem for path in PACKAGE.iterdir() if not path.stem.startswith("_")}
    assert rooms - data_only - {"py"} == set(MAY_IMPORT)


def test_cli_imports_our_rooms_inside_functions_only():
    for file in (PACKAGE / "cli").rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("shieldclip."):
                assert str(node.module).split(".")[1] in {"cli", "errors"}, file


def test_files_stay_short():
    for file in PACKAGE.rglob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, file
