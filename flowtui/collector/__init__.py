"""An OTLP/HTTP receiver that writes the spans it is sent into one run.

    limits.py      how much a request may take, and the places for those that are under way
    responses.py   what OTLP answers: protobuf or JSON, as it was asked
    receiving.py   the application: one request, from its headers to its answer
    writing.py     the thread that writes what was received, and only then lets it be acknowledged
    server.py      the listening, the signals, and the end
    reporting.py   what the app is told that started it

Spec: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""
