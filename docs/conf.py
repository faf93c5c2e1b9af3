"""The site: Markdown pages, with a reference made from docstrings and commands (``make docs``)."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE / "extensions"))

project = "ShieldCLIP"
project_copyright = "the ShieldCLIP authors"
html_title = "ShieldCLIP"
html_theme = "furo"
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c8a", "color-brand-content": "#0b5c8a"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f0", "color-brand-content": "#7cc4f0"},
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "beyond",
    "docstrings",
    "mathml",
]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

default_role = "py:obj"
add_module_names = False
python_use_unqualified_type_names = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"ArrayLike": "ArrayLike", "Floats": "Floats"}
napoleon_use_rtype = False

# Names in single backticks may be parameters, those without a dot are aliases of types; other
# libraries are not asked, and the last are parts of results.
nitpick_ignore_regex = [
    (r"py:obj", r".*"),
    (r"py:class", r"\w+"),
    (
        r"py:class",
        r"(PIL|abc|collections|datasets|numpy|pathlib|pyarrow|random|torch|transformers)\..*",
    ),
    (
        r"py:class",
        r"shieldclip\..*\.(Accusation|Alignment|AttackRow|Choices?|Component|HFTokenizer|Part"
        r"|Prediction|Preprocessing|Reach|Worker|Work)",
    ),
]
suppress_warnings = ["ref.python"]  # a suite and a recipe both have a `DataSpec`

_NOTES = ("from-scratch", "fine-tuning", "matching")
beyond_pages = {
    "results": "../training/RESULTS.md",
    "notes": "../training/NOTES.md",
    **{f"notes/{name}": f"../training/notes/{name}.md" for name in _NOTES},
}
beyond_links = {
    "../training/RESULTS.md": "results.md",
    "../training/NOTES.md": "notes.md",
    **{f"../training/notes/{name}.md": f"notes/{name}.md" for name in _NOTES},
    **{f"../../training/notes/{name}.md": f"../notes/{name}.md" for name in _NOTES},
    "../shieldclip/training/recipe/schema.py": "reference/training.md",
    "../shieldclip/training/defences/base.py": "reference/training.md",
    "RESULTS.md": "results.md",
    "NOTES.md": "notes.md",
    "../RESULTS.md": "../results.md",
    **{
        f"../experiments/{name}.png": f"../../training/experiments/{name}.png"
        for name in ("finetune", "scratch")
    },
}
