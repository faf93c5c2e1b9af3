"""The compiled kernel: C++ sources beside this file, built at install by ``setup.py``."""
