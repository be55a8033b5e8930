"""Solving: a function's description in, a function out that was run and held against checks."""
