"""Side-by-side measurements on this machine: `python -m bench`, in the environment of `make run`."""
