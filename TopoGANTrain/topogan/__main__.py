"""``python -m topogan`` is the command line."""

from topogan.cli import main

if __name__ == "__main__":
    main()
