"""``python -m izhires``."""

from izhires.cli import main

if __name__ == "__main__":
    main()
