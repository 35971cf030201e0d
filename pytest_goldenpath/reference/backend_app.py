"""The backend: health, threads, agents and the WebSocket in one application."""

from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from pytest_goldenpath.reference.health import SERVICE, Health
from pytest_goldenpath.reference.runs import AgentsApi, Runs
from pytest_goldenpath.reference.session import Sockets
from pytest_goldenpath.reference.threads import Threads
from pytest_goldenpath.reference.twin import Twin
from pytest_goldenpath.reference.web import Routes, application


def backend_app(twin: Twin) -> ASGIApp:
    """Return the application of the backend."""
    routes, runs = Routes(twin.settings.seams), Runs(twin)
    Health(twin).add_to(routes)
    Threads(twin).add_to(routes)
    AgentsApi(twin, runs).add_to(routes)
    sockets = Sockets(twin, runs)
    routes.all += [WebSocketRoute(path, sockets.serve) for path in ("/ws", "/api/v1/websocket")]
    return application(routes, SERVICE, twin.build)
