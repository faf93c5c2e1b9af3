"""`python -m shieldclip` is the command `shieldclip`."""

from shieldclip.cli import main

if __name__ == "__main__":
    main()
