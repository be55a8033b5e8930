"""The command line: `diono build | up | down | tasks | models | doctor | test | admin | bench`.

A command is a module here with ``run(arguments) -> exit status``, loaded only when it is asked
for. ``__main__``, ``arguments``, ``outcome`` and ``setup_view`` know the standard library only,
as they run before anything is installed.
"""
