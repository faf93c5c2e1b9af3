"""`evaluate`: a request in, an `EvalReport` out."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from shieldclip.attacks.manifest import Manifest
from shieldclip.data import open_source
from shieldclip.data.decode import image_name
from shieldclip.data.source import Source
from shieldclip.encoders import find_batch_size, load_encoder
from shieldclip.errors import ShieldCLIPError
from shieldclip.evaluation.cells import run_protocols
from shieldclip.evaluation.features import FeatureBank
from shieldclip.evaluation.pixels import Shelf
from shieldclip.evaluation.plan import Materials, Plan, plan_entry
from shieldclip.evaluation.protocols.base import Finding
from shieldclip.evaluation.report import DataInfo, EvalReport, ModelInfo
from shieldclip.evaluation.request import EvalRequest, tailor
from shieldclip.evaluation.store import Store
from shieldclip.evaluation.suite import DataSpec, Suite, find_suite, load_suite
from shieldclip.types import Encoder

LIBRARIES = ("shieldclip", "torch", "transformers", "open_clip_torch", "datasets", "numpy")


def evaluate(request: EvalRequest) -> EvalReport:
    """Runs a suite on some models.

    A second call with the same ``out`` computes only what the first did not finish, and returns
    an equal report.

    Raises:
        ShieldCLIPError: any bad name, file or data in the request.
    """
    if not request.models:
        raise ShieldCLIPError(
            "Expected a model to measure, but none is shipped; name one with --model SPEC."
        )
    with _store(request.out) as store:
        suite = tailor(load_suite(find_suite(request.suite)), request)
        plans = _plans(suite, request)
        encoders = [
            load_encoder(spec, device=request.device, dtype=request.dtype, verify=request.verify)
            for spec in dict.fromkeys(request.models)
        ]
        bench = _Bench(store, Shelf(store.folder), request)
        results = [bench.run(plan, encoders) for plan in plans]
    findings = [finding for result in results for finding in result.findings]
    return EvalReport(
        models=tuple(map(_model_info, encoders)),
        data=results[0].data,
        other_data=_other_data(results),
        measurements=tuple(row for finding in findings for row in finding.measurements),
        examples=tuple(example for finding in findings for example in finding.examples),
        suite=suite.name,
        seed=request.seed,
        versions={"python": platform.python_version()} | dict(map(_version, LIBRARIES)),
        throughput=results[0].throughput,
        notes=_notes(plans),
    )


@dataclass(frozen=True)
class _Result:
    """What one plan found on all models."""

    data: DataInfo
    findings: list[Finding]
    throughput: dict[str, float]


@dataclass(frozen=True)
class _Bench:
    """Where plans are run."""

    store: Store
    shelf: Shelf
    request: EvalRequest

    def run(self, plan: Plan, encoders: Sequence[Encoder]) -> _Result:
        """One plan on every model."""
        self.shelf.keep(source for source in (plan.source, plan.train) if source)
        findings, throughput = [], {}
        for encoder in encoders:
            bank = self._bank(plan, encoder)
            findings.append(run_protocols(bank, plan.protocols, self.request.seed))
            throughput[encoder.name] = bank.rate
        return _Result(_data_info(bank), findings, throughput)

    def _bank(self, plan: Plan, encoder: Encoder) -> FeatureBank:
        def bank(source: Source, train: FeatureBank | None) -> FeatureBank:
            return FeatureBank(
                encoder=encoder,
                source=source,
                open_pixels=partial(self.shelf.open, source, encoder),
                store=self.store,
                batch_size=self._batch_size(encoder),
                precision=self.request.dtype,
                train=train,
            )

        return bank(plan.source, bank(plan.train, None) if plan.train else None)

    def _batch_size(self, encoder: Encoder) -> int:
        """The request's, or one found once and kept, so that a resumed run sums in equal order."""
        if self.request.batch_size is not None:
            return self.request.batch_size
        key = {"model": encoder.fingerprint, "device": encoder.device, "dtype": self.request.dtype}
        found = self.store.arrays(
            "batch_size", key, lambda: {"size": torch.tensor(find_batch_size(encoder))}
        )
        return int(found["size"])


@contextmanager
def _store(out: Path | None) -> Iterator[Store]:
    """The folder of finished work; a temporary one without ``--out``."""
    if out is not None:
        yield Store(out)
        return
    with tempfile.TemporaryDirectory(prefix="shieldclip-") as folder:
        yield Store(Path(folder))


def _plans(suite: Suite, request: EvalRequest) -> list[Plan]:
    manifest = Manifest.load(request.manifest) if request.manifest else None
    plans = []
    for entry in suite.entries:
        train = _open(entry.train) if entry.train and "linear-probe" in entry.protocols else None
        materials = Materials(entry, _open(entry.data), train, manifest, request.seed)
        plans.append(plan_entry(materials))
    return plans


def _open(spec: DataSpec) -> Source:
    return open_source(**spec.model_dump())


def _model_info(encoder: Encoder) -> ModelInfo:
    return ModelInfo(
        name=encoder.name,
        revision=encoder.revision,
        fingerprint=encoder.fingerprint,
        library=encoder.library,
        parameters=encoder.parameters,
        image_size=encoder.image_size,
        warning=encoder.warning,
    )


def _data_info(bank: FeatureBank) -> DataInfo:
    source = bank.source
    skipped = sorted(set(range(len(source.rows))) - set(bank.rows.tolist()))
    return DataInfo(
        name=source.name,
        source=source.source,
        split=source.split,
        path=source.path,
        fingerprint=source.fingerprint,
        n=len(bank.rows),
        skipped=tuple(image_name(source.rows[row]["image"], row) for row in skipped),
    )


def _version(name: str) -> tuple[str, str]:
    try:
        return name, version(name)
    except PackageNotFoundError:
        return name, "not installed"  # run from a clone


def _other_data(results: Sequence[_Result]) -> tuple[DataInfo, ...]:
    """Every data set but the first, each once."""
    infos = dict.fromkeys(result.data for result in results)
    return tuple(infos)[1:]


def _notes(plans: Sequence[Plan]) -> tuple[str, ...]:
    """What a reader must know beyond the figures, each sentence once."""
    independent = "Intervals are at 95 % and take pictures as independent of each other."
    return tuple(dict.fromkeys([independent, *(n for plan in plans for n in plan.notes)]))
