"""What runs inside the sandboxes: standard library only, and the analysers of the image."""
