"""The fleet on a Docker engine of this machine."""
