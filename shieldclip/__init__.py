"""ShieldCLIP: measure, defend and retrain CLIP models that can be trusted."""

__version__ = "0.1.0"
