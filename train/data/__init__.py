"""Training data: cached features, augmentation, mixing and batches."""
