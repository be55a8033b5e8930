"""The program inside every sandbox: standard library only, any Python from 3.9 on."""
