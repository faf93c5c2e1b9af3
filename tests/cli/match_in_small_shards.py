"""``shieldclip match`` in shards so small that a few pictures make several; for torchrun."""

from shieldclip.cli.match import match_command
from shieldclip.matching import cache

cache.ROWS_PER_SHARD, cache.TEXTS_PER_SHARD = 16, 20
match_command()
