"""What a finished task made: its structure, quality and risks, found in a sandbox."""
