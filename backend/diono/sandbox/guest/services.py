"""/diono/services/*: long-running processes that the guest supervises."""

from __future__ import annotations

import signal
import threading

from .http import Request, Response
from .log_ring import Page
from .messages import environment_of, texts_of
from .process import Wanted
from .server import Handler
from .supervisor import NEVER, POLICIES, Plan, Supervisor, is_listening
from .tenant import Tenant
from .wire import HttpError, Json, decode, http_error_of, number_of, text_of

_TAIL_BYTES = 32_000
_SERVICES_LIMIT = 32
_WAIT_LIMIT_SECONDS = 30
_ERROR_HEADER = "Diono-Error"
_SIGNALS = ("TERM", "KILL", "INT", "HUP", "USR1", "USR2", "QUIT", "STOP", "CONT", "WINCH")


def _described(service: Supervisor) -> Json:
    return {
        "name": service.plan.name,
        "port": service.plan.port,
        "running": service.is_running,
        "healthy": service.is_healthy,
        "exit_code": service.exit_code,
        "restarts": service.restarts,
        "restart": service.plan.restart,
        "log": service.log.tail(_TAIL_BYTES).decode("utf-8", "replace"),
    }


class ServiceService:
    """The methods; each takes a JSON object and answers with one. Errors: 400, 404, 409."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._lock = threading.Lock()
        self._services: dict[str, Supervisor] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "start": self.start,
            "stop": self.stop,
            "status": self.status,
            "list": self.list,
            "signal": self.signal,
            "restart": self.restart,
            "logs": self.logs,
        }

    def _plan(self, message: Json) -> Plan:
        name = text_of(message.get("name"), "name")
        if not 0 < len(name) <= 100:
            raise HttpError(400, "name must have 1 to 100 characters")
        command = text_of(message.get("cmd"), "cmd")
        argv = texts_of(message.get("argv"), "argv")
        if command:
            argv = ["/bin/sh", "-c", command]
        if not argv or not argv[0]:
            raise HttpError(400, "argv or cmd is required")
        restart = text_of(message.get("restart"), "restart", NEVER)
        if restart not in POLICIES:
            raise HttpError(400, f"restart must be one of {', '.join(POLICIES)}")
        cwd = self._tenant.path(text_of(message.get("cwd"), "cwd"))
        given = environment_of(message.get("env"))
        env = {**self._tenant.environment(self._tenant.user), "PWD": cwd, **given}
        port = number_of(message.get("port"), "port", 0, 65535) or None
        timeout = message.get("start_timeout", 15.0)
        if not isinstance(timeout, (int, float)):
            raise HttpError(400, "start_timeout must be a number")
        wanted = Wanted(argv=argv, cwd=cwd, env=env, config={}, has_stdin=False, is_tree=True)
        return Plan(name, wanted, port, restart, min(float(timeout), 600.0))

    def _find(self, message: Json) -> Supervisor:
        name = text_of(message.get("name"), "name")
        with self._lock:
            found = self._services.get(name)
        if found is None:
            raise HttpError(404, f"no such service: {name[:100]}")
        return found

    def _begin(self, plan: Plan, response: Response) -> None:
        """Start a service in the place of one of the same name, and wait until it is ready."""
        with self._lock:
            previous = self._services.pop(plan.name, None)
            is_full = len(self._services) >= _SERVICES_LIMIT
        if previous is not None:
            previous.stop()
        if is_full:
            raise HttpError(429, f"more than {_SERVICES_LIMIT} services; stop one first")
        if plan.port is not None and is_listening(plan.port):
            taken = HttpError(409, f"port {plan.port} is already in use inside the sandbox")
            response.json(409, taken.body(), {_ERROR_HEADER: "port_taken"})
            return
        service = Supervisor(plan)
        try:
            service.start()
        except FileNotFoundError as error:
            raise http_error_of(error, f"cannot start '{error.filename}'") from error
        except OSError as error:
            raise http_error_of(error, "cannot start the service") from error
        with self._lock:
            self._services[plan.name] = service
        service.wait_ready()
        response.json(200, _described(service))

    def start(self, request: Request, response: Response) -> None:
        self._begin(self._plan(decode(request.body())), response)

    def restart(self, request: Request, response: Response) -> None:
        self._begin(self._find(decode(request.body())).plan, response)

    def stop(self, request: Request, response: Response) -> None:
        service = self._find(decode(request.body()))
        service.stop()
        with self._lock:
            if self._services.get(service.plan.name) is service:
                del self._services[service.plan.name]
        response.json(200, {})

    def status(self, request: Request, response: Response) -> None:
        response.json(200, _described(self._find(decode(request.body()))))

    def list(self, _request: Request, response: Response) -> None:
        with self._lock:
            services = list(self._services.values())
        response.json(200, {"services": [_described(service) for service in services]})

    def signal(self, request: Request, response: Response) -> None:
        message = decode(request.body())
        service = self._find(message)
        name = text_of(message.get("signal"), "signal", "TERM").upper()
        name = name[3:] if name.startswith("SIG") else name
        if name not in _SIGNALS:
            raise HttpError(400, f"signal must be one of {', '.join(_SIGNALS)}")
        if not service.signal(signal.Signals[f"SIG{name}"]):
            raise HttpError(404, f"service {service.plan.name} does not run")
        response.json(200, {})

    def logs(self, request: Request, response: Response) -> None:
        """``{name, cursor, limit, wait}``: what came after the cursor; ``stream`` follows it."""
        message = decode(request.body())
        service = self._find(message)
        cursor = number_of(message.get("cursor"), "cursor", 0, 2**53)
        limit = number_of(message.get("limit"), "limit", 64_000, 1_000_000)
        wait = number_of(message.get("wait"), "wait", 0, _WAIT_LIMIT_SECONDS)
        if not message.get("stream"):
            response.json(200, _page(service.log.since(cursor, limit, wait)))
            return
        response.start(200, "application/x-ndjson")
        while True:
            page = service.log.since(cursor, limit, 1.0)
            cursor = page.cursor
            if page.data:
                response.write_json_line(_page(page))
            elif service.is_over:
                break
            response.check_client()
        response.end()


def _page(page: Page) -> Json:
    text = page.data.decode("utf-8", "replace")
    return {"text": text, "cursor": page.cursor, "dropped": page.is_cut}
