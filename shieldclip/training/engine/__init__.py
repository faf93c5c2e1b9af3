"""The engine: transformers' Trainer, what it logs, and what it keeps."""
