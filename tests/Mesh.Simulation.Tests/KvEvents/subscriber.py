"""A SUB socket of libzmq that follows a publisher and, when asked to, a DEALER socket that has what was missed replayed."""
import sys

import zmq

port, replay, wanted, pause = (int(argument) for argument in sys.argv[1:5])
topic = sys.argv[5].encode() if len(sys.argv) > 5 else b""
context = zmq.Context()
sub = context.socket(zmq.SUB)
sub.setsockopt(zmq.SUBSCRIBE, topic)
if pause:
    sub.set_hwm(1)
    sub.setsockopt(zmq.RCVBUF, 4096)
sub.connect(f"tcp://127.0.0.1:{port}")
print("ready", flush=True)
if pause:
    sys.stdin.readline()
poller = zmq.Poller()
poller.register(sub, zmq.POLLIN)
got = {}
while len(got) < wanted and poller.poll(3000 if pause else 20000):
    frames = sub.recv_multipart()
    assert len(frames) == 3 and len(frames[1]) == 8, frames
    assert frames[0] == topic, frames[0]
    sequence = int.from_bytes(frames[1], "big")
    assert not got or sequence > max(got), "out of order"
    got[sequence] = frames[2]
    if replay and sequence >= wanted - 1:
        break
live = len(got)
if replay:
    dealer = context.socket(zmq.DEALER)
    dealer.connect(f"tcp://127.0.0.1:{replay}")
    dealer.send_multipart((b"", (0).to_bytes(8, "big")))
    while True:
        if not dealer.poll(20000):
            sys.exit("the replay stalled")
        empty, sequence, payload = dealer.recv_multipart()
        if sequence == b"\xff" * 8:
            break
        number = int.from_bytes(sequence, "big")
        assert got.get(number, payload) == payload, "a replayed batch differs"
        got[number] = payload
assert not replay or sorted(got) == list(range(len(got))), sorted(got)[:20]
print(live, len(got), sum(len(payload) for payload in got.values()), flush=True)
