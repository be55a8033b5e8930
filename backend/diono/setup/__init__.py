"""Sets up what a start needs and is not there yet: each step is idempotent and resumable.

``python_environment`` runs on the system's Python before anything is installed, so it and the
modules it uses (``report``, ``commands``, ``packages``, ``errors``) know the standard library only.
"""
