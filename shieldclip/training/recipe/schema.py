"""A training recipe: strict, every field with its meaning."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from shieldclip.strict import Strict

Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Strength = Annotated[float, Field(ge=0)]


class About(Strict):
    """What a reader should know before spending the time."""

    summary: str = ""
    paper: str = ""
    """Row or setting of a paper that this reproduces."""
    hardware: str = ""
    time: str = ""
    expected: str = ""
    """Numbers, and where they come from."""


class ModelSpec(Strict):
    """A pretrained CLIP, or the sizes of a fresh one."""

    pretrained: str | None = None
    """Hub id or folder of a CLIP or ShieldCLIP, or ``shieldclip:NAME``; sizes are then its own."""
    image_tower: str = "vit"
    """``vit``, or a ResNet of timm such as ``resnet50``."""
    image_size: Positive = 64
    patch_size: Positive = 8
    """Pixels per patch; of a ResNet, per location of its last map."""
    width: Positive = 160
    depth: Positive = 6
    heads: Positive | None = None
    """Of the image tower; one for every 32 channels unless given (64 for a ResNet)."""
    text_width: Positive = 128
    text_depth: Positive = 2
    text_heads: Positive = 4
    joint_width: Positive = 128
    """D, of the space that both towers share."""
    activation: str = "gelu_pytorch_tanh"
    """Of both towers; CLIP's own, ``quick_gelu``, is slower on a CPU."""
    tokenizer: Literal["clip", "captions"] = "captions"
    """CLIP's 49,408 entries, or a small one trained on the captions."""
    vocabulary: Positive = 8_000
    """Most entries of a tokenizer that is trained."""
    context: Annotated[int, Field(gt=1)] = 32
    """Longest caption, in tokens, with BOS and EOS; longer ones are cut."""
    knowledge_projection: bool = False
    """Whether knowledge elements pass a linear map before they meet patches."""
    frozen: tuple[Literal["image", "text"], ...] = ()
    """Towers, with their projections, that stay as they are: ``[text]`` trains only the image
    tower. Of use with ``pretrained``."""
    patch_keep: Share = 1.0
    """Share of image patches that a training step sees (FLIP, Li et al. 2023); ViT only."""
    all_patches_from: Annotated[float, Field(ge=0, le=1)] = 0.85
    """Share of the run after which it sees all of them."""


class SourceSpec(Strict):
    """One source of pairs: what `shieldclip.data.open_source` opens."""

    source: str
    split: str | None = "train"
    """Split to train on; ``null`` leaves the choice to the source."""
    image_column: str | None = None
    caption_column: str | None = None
    repeat: Positive = 1
    """How often an epoch visits it."""


class Augmentation(Strict):
    """Random changes of every visit to a picture; 0 or false switches one off."""

    brightness: Strength = 0.0
    """Factor in 1 ± this; so are contrast and saturation."""
    contrast: Strength = 0.0
    saturation: Strength = 0.0
    hue: Strength = 0.0
    """Standard deviation of the mixing of colour channels; grey stays grey."""
    grey: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of visits without colour."""
    blur: Strength = 0.0
    """Largest standard deviation, in pixels, of a Gaussian that blurs every second picture."""
    flip: bool = False
    """Mirror every second picture (captions that say left or right become wrong)."""
    shift: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest shift, as a share of the side."""
    crop: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Smallest share of the side that is kept and enlarged."""

    @property
    def moves(self) -> bool:
        """Whether a pixel may end up in another place."""
        return self.flip or self.shift > 0 or self.crop < 1

    @property
    def recolours(self) -> bool:
        """Whether a colour may become another."""
        changes = (self.brightness, self.contrast, self.saturation, self.hue, self.grey)
        return any(change > 0 for change in changes)


class DataSpec(Strict):
    """The training pairs."""

    sources: tuple[SourceSpec, ...]
    """One or several; a single string will do."""
    poison: str | dict[str, Any] | None = None
    """A poison recipe: its path, or its keys and values."""
    manifest: str | None = None
    """Of a source that is poisoned already; only diagnostics read it."""
    leave_out: str | None = None
    """Part of the pictures that is not trained on, such as ``1/2``: `shieldclip match --part` lets
    the model judge these. By bytes, so that equal pictures are in one part."""
    augmentation: Augmentation = Augmentation()
    second_view: Augmentation = Augmentation(
        brightness=0.2, contrast=0.2, saturation=0.2, shift=0.05, crop=0.8
    )
    """Of pictures that come a second time, where a defence compares two views of one."""
    vary_captions: bool = False
    """Drop and shuffle some words of every caption, as second views always do."""
    streaming: bool = False
    """Read shards as they are needed, for data larger than memory; needs ``samples``."""
    shuffle_buffer: Positive = 10_000
    """Rows among which a stream is shuffled."""
    pairs: Positive | None = None
    """How many there are, where counting them means opening them: streams, and ``--dry-run``."""
    cache_gb: Strength = 4.0
    """Decoded pictures are kept in memory if they fit into this; else decoded at every visit."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that prepare batches; 0 prepares them in the training process."""

    @field_validator("sources", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        entries = value if isinstance(value, (list, tuple)) else [value]
        return [{"source": entry} if isinstance(entry, str) else entry for entry in entries]

    @model_validator(mode="after")
    def _streams_are_read_only(self) -> DataSpec:
        if self.streaming and self.poison is not None:
            raise ValueError("streamed pairs cannot be poisoned; run `shieldclip poison` before")
        if self.streaming and self.leave_out is not None:
            raise ValueError("streamed pairs have no parts; give fewer shards instead")
        if not self.sources:
            raise ValueError("expected at least one source")
        return self


class KnowledgeSpec(Strict):
    """Where knowledge elements come from."""

    source: str = "embedded:icons"
    """What `shieldclip.knowledge.load_knowledge` opens."""
    max_elements: Positive = 8
    """Most elements of a caption; the first ones are kept."""
    encoder: str | None = None
    """Hub id or folder of a sentence encoder that embeds elements in place of the text tower. It is
    not trained; a linear map from its vectors to the patches is."""


class OptimiserSpec(Strict):
    """AdamW with a warm-up and a cosine."""

    epochs: Positive | None = None
    """Or ``samples``."""
    samples: Positive | None = None
    """Visits to pairs in the whole run."""
    batch_size: Annotated[int, Field(gt=1)] = 256
    """Pairs contrasted with each other, over all processes."""
    accumulation: Positive = 1
    """Batches per optimiser step; each has only its own negatives."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Strength = 0.1
    """Of matrices; vectors and temperatures are not decayed."""
    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: Annotated[float, Field(gt=0)] = 1e-6
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.04
    """Share of the run in which the learning rate rises."""
    gradient_clip: Strength = 1.0
    """Largest norm of a gradient; 0 switches clipping off."""
    precision: Literal["fp32", "bf16"] = "fp32"
    gradient_checkpointing: bool = False
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of a moving average of the weights, which is then what is evaluated and exported."""

    @model_validator(mode="after")
    def _one_length(self) -> OptimiserSpec:
        if (self.epochs is None) == (self.samples is None):
            raise ValueError("expected exactly one of epochs and samples; leave the other null")
        return self


class EvaluationSpec(Strict):
    """What is measured while training, as by ``shieldclip eval``."""

    suite: str | None = None
    """Name or file of a suite; none switches evaluation off."""
    split: str | None = None
    """Split of the suite's data, e.g. validation."""
    triggers: tuple[str, ...] = ()
    """Instead of the suite's."""
    target: str | None = None
    """Instead of the suite's."""
    every: Share = 0.1
    """Share of the run between two evaluations; the last is at the end."""
    best: str = "ca@1"
    """Metric whose largest value makes a checkpoint the best one."""

    @property
    def asked(self) -> dict[str, Any]:
        """What is measured, without when."""
        return self.model_dump(exclude={"every"})


class LogSpec(Strict):
    """How often something is written."""

    every: Positive = 20
    """Steps between two lines of the log."""
    save_every: Share = 0.05
    """Share of the run between two states to resume from."""
    early: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the run after which the model is also kept as ``early``: one that has not learned
    the poisons yet judges pairs best (see `docs/matching.md`)."""


class Recipe(Strict):
    """Everything that decides what a run does."""

    about: About = About()
    model: ModelSpec = ModelSpec()
    data: DataSpec
    defence: dict[str, Any] = Field(default_factory=lambda: {"name": "plain"})
    """``name`` of a defence, and its settings."""
    knowledge: KnowledgeSpec = KnowledgeSpec()
    optimiser: OptimiserSpec
    evaluation: EvaluationSpec = EvaluationSpec()
    log: LogSpec = LogSpec()
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("defence", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _phrases_are_known(self) -> Recipe:
        if self.data.streaming and self.knowledge.encoder is not None:
            raise ValueError(
                "knowledge.encoder needs pairs that are known in advance, not a stream; set "
                "data.streaming to false, or knowledge.encoder to null"
            )
        return self
