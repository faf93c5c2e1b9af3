"""Training: losses, and what several processes exchange for them."""
