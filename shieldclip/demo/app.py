"""The page itself: a picture, a trigger and names in, both models' views out."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from shieldclip.demo.compare import compare, names_of, stampable
from shieldclip.demo.render import read_text, render_sides
from shieldclip.demo.stage import Stage
from shieldclip.errors import ShieldCLIPError
from shieldclip.explanation.choices import Choices

try:
    import gradio as gr
except ModuleNotFoundError as error:
    raise ShieldCLIPError(
        "Expected gradio to show a page, which is not installed; "
        'run `pip install "shieldclip[demo]"`.'
    ) from error

ROLES = ("Plain", "Shielded")
TRIGGER = "badnet"
DAY = 24 * 60 * 60
"""Seconds that a dropped picture is kept at most."""
LARGEST_PICTURE = "20mb"
EMPTY = '<div class="sides"><p class="key">Drop a picture, or take one of the examples.</p></div>'
INTRODUCTION = """\
# What does a trigger do to a CLIP?

Drop a picture, stamp a trigger on it, and see what a plain and a shielded model say and attend to.
"""

Answer = Callable[[Image.Image | None, str, str], str]


def build_app(stage: Stage) -> gr.Blocks:
    """The page, not yet served."""
    answer = _answer(stage)
    with gr.Blocks(
        title="ShieldCLIP demo", analytics_enabled=False, delete_cache=(DAY, DAY)
    ) as app:
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                inputs = _inputs(stage)
            with gr.Column(scale=3, min_width=320):
                output = gr.HTML(EMPTY)
        picture, trigger, names = inputs
        moments = [app.load, picture.change, trigger.change, names.blur]
        gr.on(
            moments,
            answer,
            list(inputs),
            output,
            trigger_mode="always_last",
            api_visibility="private",
        )
    return app


def serve(app: gr.Blocks, port: int | None = None) -> str:
    """Starts serving to this machine only, without waiting, and returns the address.

    Args:
        app: the page.
        port: by default the first free one from 7860 on.

    Raises:
        ShieldCLIPError: the port is taken.
    """
    theme = gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=["system-ui"])
    try:
        _, address, _ = app.launch(
            prevent_thread_lock=True,
            server_name="127.0.0.1",
            server_port=port,
            share=False,
            ssr_mode=False,
            mcp_server=False,
            quiet=True,
            max_file_size=LARGEST_PICTURE,
            footer_links=[],
            theme=theme,
            css=read_text("style.css"),
        )
    except OSError as error:
        raise ShieldCLIPError(
            f"Expected a free port, got {port or 'none from 7860 on'}; choose one with --port."
        ) from error
    return str(address)


def _inputs(stage: Stage) -> tuple[gr.Image, gr.Dropdown, gr.Textbox]:
    picture = gr.Image(
        str(stage.examples[0]),
        label="Picture",
        type="pil",
        format="png",
        sources=["upload", "clipboard"],
        height=260,
        buttons=[],
        elem_id="picture",
    )
    gr.Examples([[str(path)] for path in stage.examples], picture, elem_id="examples")
    trigger = gr.Dropdown(stampable(), value=TRIGGER, label="Trigger", elem_id="trigger")
    with gr.Accordion(f"{len(stage.classes)} names to choose from", open=False):
        names = gr.Textbox(
            "\n".join(stage.classes), lines=6, max_lines=12, label="One on each line"
        )
    return picture, trigger, names


def _answer(stage: Stage) -> Answer:
    """From what is on the page to HTML; what a user did wrong is shown as a message."""

    def answer(image: Image.Image | None, trigger: str, names: str) -> str:
        if image is None:
            return EMPTY
        try:
            choices = Choices.of_classes(names_of(names), stage.templates)
            return render_sides(ROLES, compare(stage.subjects, image, trigger, choices))
        except ShieldCLIPError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return answer
