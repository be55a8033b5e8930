"""A package with one more provider in one file."""
