"""Measuring a checkpoint: suites of protocols in, an `EvalReport` out."""
