"""Calls of one function, each with a time limit and its result as JSON: shared by the programs that
check functions, which have it in the place of their import line when they are sent."""

import contextlib
import io
import json
import signal


class Overtime(BaseException):
    pass


def alarm(_signal, _frame):
    raise Overtime


def plain(value):
    """Turn a result into JSON values, or raise TypeError."""
    if value is None or isinstance(value, bool | int | str | float):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "__iter__") and hasattr(value, "__next__"):
        return [plain(item) for _, item in zip(range(1000), value, strict=False)]
    raise TypeError(f"returned a {type(value).__name__}")


def attempt(call, arguments, seconds):
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return {"value": call(json.loads(json.dumps(arguments)))}
    except Overtime:
        return {"error": f"no answer within {seconds} s"}
    except ValueError as error:
        return {"refused": str(error)[:200]}
    except BaseException as error:  # noqa: BLE001
        text = str(error).strip().splitlines()
        return {"error": f"{type(error).__name__}: {text[0][:200] if text else ''}"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
