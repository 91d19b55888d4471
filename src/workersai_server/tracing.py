"""Traces for OpenTelemetry: a span for each request and for each attempt to deliver a callback.

Imported only when the setting `tracing` asks for it, since its libraries come
with the extra ``otel``. What is exported, and where to, the standard
``OTEL_*`` environment variables say.

SECURITY: a span holds method, route, status and ids. No address, query, body
or header gets into one, so that no key can.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from importlib.metadata import version
from typing import Self
from urllib.parse import urlsplit

import attrs
import falcon
from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from workersai_core import Event
from workersai_core.api import hookimpl
from workersai_core.callbacks.transport import Outcome, Transport
from workersai_server.credentials import ApiRequest
from workersai_server.masking import masked

__all__ = ["RequestTraces", "TracedTransport", "Tracing"]

_SERVICE = "workersai"
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
"""What programs ask every few seconds, and nobody wants to see."""
_METHODS = frozenset(falcon.COMBINED_METHODS)
_SERVER_ERROR = 500
_MOST_UNTOLD = 4096


class Tracing:
    """What makes spans, and sends them.

    Args:
        provider: The spans are its own; it is shut down at the end.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(_SERVICE, version("workersai"))
        self._transports: list[TracedTransport] = []

    @classmethod
    def start(cls) -> Self:
        """Return one that sends spans by OTLP over HTTP, to where the environment says."""
        provider = TracerProvider(resource=_resource())
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    def requests(self) -> RequestTraces:
        """Return the middleware that makes a span for each request; it goes before all others."""
        return RequestTraces(self._tracer)

    def transport(self, transport: Transport) -> TracedTransport:
        """Return a transport that makes a span for each attempt; it is a plugin, too, and to be registered."""
        self._transports.append(TracedTransport(transport, self._tracer))
        return self._transports[-1]

    def close(self) -> None:
        """Send what is still to be sent."""
        for transport in self._transports:
            transport.end_spans()
        self._provider.shutdown()


def _resource() -> Resource:
    """Return who we are: what the environment says, and our name where it says nothing."""
    found = Resource.create()
    if "unknown_service" in str(found.attributes.get("service.name")):
        return found.merge(Resource({"service.name": _SERVICE, "service.version": version("workersai")}))
    return found


@attrs.frozen
class _Running:
    """A request's span, and what was current before it."""

    span: Span
    token: object


class RequestTraces:
    """The middleware: a span for each request, a child of the caller's when it names one (W3C ``traceparent``)."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def process_request(self, req: ApiRequest, resp: falcon.Response) -> None:
        """Begin the span; it is the current one of the thread, so that plugins may add to it."""
        if req.path in _UNTRACED:
            return
        # The route is not known yet, and the name may not hold anything that a client chose.
        method = req.method if req.method in _METHODS else "_OTHER"
        span = self._tracer.start_span(
            method, propagate.extract(_carrier(req)), SpanKind.SERVER, {"http.request.method": method}
        )
        req.context.tracing = _Running(span, context.attach(trace.set_span_in_context(span)))

    def process_response(self, req: ApiRequest, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        """End the span with what came of the request."""
        running: _Running | None = getattr(req.context, "tracing", None)
        if running is None:
            return
        span, status = running.span, int(falcon.code_to_http_status(resp.status)[:3])
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("workersai.request_id", req.request_id)
        if req.uri_template:
            span.set_attribute("http.route", req.uri_template)
            span.update_name(f"{req.method} {req.uri_template}")
        if status >= _SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        context.detach(running.token)  # type: ignore[arg-type]  # a token, whose type the library does not name
        span.end()


def _carrier(req: ApiRequest) -> Mapping[str, str]:
    """Return the headers that name the caller's span."""
    fields = propagate.get_global_textmap().fields
    headers = {field: req.env.get(f"HTTP_{field.upper().replace('-', '_')}") for field in fields}
    # `tracestate` is free text, which goes on with the span.
    return {field: masked(value) for field, value in headers.items() if value}


class TracedTransport:
    """A transport, and a span for each attempt that it makes.

    Which attempt it was the engine says afterwards, by the hook
    `callback_attempted`; the span waits for that, with its times as they were.

    Args:
        transport: What sends.
        tracer: What makes the spans.
    """

    name = "tracing"

    def __init__(self, transport: Transport, tracer: trace.Tracer) -> None:
        self._transport = transport
        self._tracer = tracer
        self._lock = threading.Lock()
        self._untold: OrderedDict[str, tuple[Span, int]] = OrderedDict()
        """Spans by the callback's id, and when they ended."""

    def send(self, url: str, headers: Mapping[str, str], body: bytes, deadline_s: float) -> Outcome:
        """Send, and note what came of it; see `Transport.send`."""
        callback = headers.get("webhook-id", "")
        span = self._tracer.start_span(
            "callback",
            context.Context(),
            SpanKind.CLIENT,
            {
                "http.request.method": "POST",
                "server.address": urlsplit(url).hostname or "",
                "workersai.callback_id": callback,
            },
        )
        try:
            outcome = self._transport.send(url, headers, body, deadline_s)
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            span.end()
            raise
        if outcome.status is not None:
            span.set_attribute("http.response.status_code", outcome.status)
        if not outcome.ok:
            span.set_status(Status(StatusCode.ERROR, outcome.error))
        self._wait(callback, span)
        return outcome

    @hookimpl
    def callback_attempted(self, event: Event) -> None:
        """Write down which attempt it was."""
        with self._lock:
            found = self._untold.pop(event.data["delivery"], None)
        if found is not None:
            span, ended_at = found
            span.set_attribute("workersai.attempt", event.data["n"])
            span.set_attribute("workersai.callback_state", event.data["state"])
            span.end(ended_at)

    def end_spans(self) -> None:
        """End the spans of attempts of which the engine says no more."""
        with self._lock:
            untold = list(self._untold.values())
            self._untold.clear()
        for span, ended_at in untold:
            span.end(ended_at)

    def close(self) -> None:
        """Close the transport; see `Transport.close`."""
        self._transport.close()

    def _wait(self, callback: str, span: Span) -> None:
        with self._lock:
            # One of the same id was never told of: its result could not be stored, and the callback was sent again.
            given_up = [self._untold.pop(callback)] if callback in self._untold else []
            self._untold[callback] = (span, time.time_ns())
            if len(self._untold) > _MOST_UNTOLD:
                given_up.append(self._untold.popitem(last=False)[1])
        for other, ended_at in given_up:
            other.end(ended_at)
