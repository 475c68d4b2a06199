"""An OTLP receiver that writes the spans it is sent into one run.

    limits.py      how much requests may take, each and all together
    places.py      the places for those that are under way, of all clients and of each
    responses.py   what OTLP answers: protobuf or JSON as it was asked, or the status of a call
    receiving.py   the application: one request, from its headers to its answer
    grpc_receiving.py   one call of gRPC, the same way
    unpacking.py   a body as a stream
    decoding.py    one request, decoded a turn at a time
    turns.py       whose turn it is
    writing.py     the thread that gives turns and writes; what is written is acknowledged
    relaying.py    a connection that is handed on to what answers its protocol
    server.py      the listening, the signals, and the end
    variables.py   what an application needs in its environment to send here
    reporting.py   what the app is told that started it

Spec: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""
