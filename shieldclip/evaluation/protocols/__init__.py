"""How a checkpoint is asked: each protocol sees embeddings and returns measurements."""
