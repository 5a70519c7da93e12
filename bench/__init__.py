"""Side-by-side measurements on this machine, in the environment of `make run`."""
