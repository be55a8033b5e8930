"""Images of sandboxes: recipes of this repository, users' own templates."""
