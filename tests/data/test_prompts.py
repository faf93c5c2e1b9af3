"""Templates and class names by name and from files."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shieldclip.data.prompts import CLASSES, TEMPLATES, classes_for, templates_for
from shieldclip.errors import ShieldCLIPError


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_have_one_place_for_the_name(name):
    templates = templates_for(name)
    assert len(set(templates)) == len(templates)
    for template in templates:
        assert template.count("{}") == 1
        assert "a {x}" not in template.format("{x}").replace("a {x}", "")


def test_imagenet_templates_are_those_of_open_clip():
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

    ours = templates_for("imagenet-80")
    assert [template.format("tree frog") for template in ours] == [
        template("tree frog") for template in OPENAI_IMAGENET_TEMPLATES
    ]
    assert len(ours) == 80


def test_imagenet_classes():
    names = classes_for("imagenet")
    assert (len(names), names[0], names[-1]) == (1000, "tench", "toilet paper")


LINES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(LINES, min_size=1))
def test_class_files_round_trip(names, tmp_path):
    (tmp_path / "names.json").write_text(json.dumps(names))
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    assert classes_for(str(tmp_path / "names.json")) == tuple(names)
    assert classes_for(str(tmp_path / "names.txt")) == tuple(names)


def test_template_file(tmp_path):
    (tmp_path / "t.txt").write_text("a photo of {}.\n{} here\n")
    assert templates_for(str(tmp_path / "t.txt")) == ("a photo of {}.", "{} here")


@pytest.mark.parametrize("line", ["no name", "{} and {}", "{0}", "", "{}{x}"])
def test_bad_template_lines_are_named(tmp_path, line):
    (tmp_path / "t.txt").write_text(f"a {{}}\n{line}\nthe {{}}")
    with pytest.raises(ShieldCLIPError, match=r"line 2 of .*t\.txt"):
        templates_for(str(tmp_path / "t.txt"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("c.txt", "", "is empty"),
        ("c.txt", "cat\n\ndog", "entry 2 of .* is empty"),
        ("c.json", "{}", "JSON list of class names"),
        ("c.json", '["cat", 3]', "JSON list of class names"),
        ("c.json", "[cat]", "JSON list of class names in .*Expecting value"),
    ],
)
def test_bad_class_files(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ShieldCLIPError, match=message):
        classes_for(str(tmp_path / name))


def test_unknown_names():
    with pytest.raises(ShieldCLIPError, match=r"templates 'imagenet80'.*'imagenet-80'.* a file"):
        templates_for("imagenet80")
    with pytest.raises(ShieldCLIPError, match=f"Available: {', '.join(CLASSES)}"):
        classes_for("coco")
