"""Functions whose results are fixed by a definition that a library knows.

A small model recalls such facts badly. Here they give examples that are sure before any code is
written, and a generated function for where the model's own do not meet them.
"""
