"""Pure functions from arrays to figures; definitions in the module of each metric."""
