"""What the program can do: one function a module, no input or output."""
