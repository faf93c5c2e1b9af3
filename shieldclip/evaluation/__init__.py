"""Measuring a checkpoint: suites of protocols in, an `EvalReport` out."""

from shieldclip.evaluation.report import EvalReport
from shieldclip.evaluation.request import EvalRequest
from shieldclip.evaluation.run import evaluate
from shieldclip.evaluation.write import write_reports

__all__ = ["EvalReport", "EvalRequest", "evaluate", "write_reports"]
