"""What happens every few epochs."""


def recurs(epoch: int, first: int, every: int) -> bool:
    """Whether an epoch is the ``first`` one, or a multiple of ``every`` epochs after it."""
    return epoch >= first and (epoch - first) % every == 0
