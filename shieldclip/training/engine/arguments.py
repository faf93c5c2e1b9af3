"""A recipe -> the engine's settings."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from transformers import TrainingArguments

from shieldclip.training.recipe.schema import Recipe
from shieldclip.training.run_folder import STATE


def training_arguments(recipe: Recipe, out: Path, steps: int = 1) -> TrainingArguments:
    """The engine's settings; data loading, saving and logging are ours."""
    settings = recipe.optimiser
    return TrainingArguments(
        output_dir=str(out / STATE),
        max_steps=steps,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=round(settings.warm_up * steps),
        optim="adamw_torch",
        adam_beta1=settings.betas[0],
        adam_beta2=settings.betas[1],
        adam_epsilon=settings.epsilon,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.gradient_clip,
        use_cpu=not torch.accelerator.is_available(),
        bf16=settings.precision == "bf16",
        logging_steps=recipe.log.every,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,
        average_tokens_across_devices=False,
        seed=recipe.seed,
    )


def use_one_gpu(args: TrainingArguments) -> None:
    """Leave all GPUs but the first alone, and say so.

    Trainer would split each batch over all that one process sees, and its negatives with it.
    """
    if args.n_gpu > 1:
        warnings.warn(
            f"Expected one process for each GPU, got one for {args.n_gpu}: it uses the first only; "
            f"start `torchrun --standalone --nproc_per_node {args.n_gpu} -m shieldclip train ...` "
            "to use all, or set CUDA_VISIBLE_DEVICES to choose another.",
            stacklevel=2,
        )
        args._n_gpu = 1
