"""Training pairs: sources, pictures in memory or on disk, visits, augmentation, batches."""
