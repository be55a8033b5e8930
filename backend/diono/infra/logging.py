"""One logger: loguru, with the standard library's records led into it."""

import logging
import sys

from loguru import logger

from diono.infra.redaction import SECRETS

FORMAT = "{time:YYYY-MM-DDTHH:mm:ss.SSS!UTC}Z {level: <7} {extra[request_id]} {name}: {message}"


class _Intercept(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname if record.levelname in logging.getLevelNamesMapping() else "INFO"
        logger.opt(depth=6, exception=record.exc_info).log(level, record.getMessage())


def _write(message: str) -> None:
    # The whole text, the exception's included, which a record's message does not have.
    sys.stderr.write(SECRETS.hide(message))


def configure_logging(level: str) -> None:
    """Log to standard error from ``level`` on; libraries from WARNING on."""
    logger.remove()
    logger.configure(extra={"request_id": "-"})
    # Values of local variables could be secrets, so tracebacks do not show them.
    logger.add(_write, level=level, format=FORMAT, backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_Intercept()], level=logging.WARNING, force=True)
