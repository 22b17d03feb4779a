"""Many publishers of cache events in one process, each at a steady rate: a load for measuring a subscriber."""
import argparse
import struct
import time

import zmq

options = argparse.ArgumentParser()
options.add_argument("--publishers", type=int, default=100)
options.add_argument("--rate", type=float, default=500, help="events per second of each publisher")
options.add_argument("--events", type=int, default=10, help="events per batch")
options.add_argument("--seconds", type=float, default=10)
args = options.parse_args()


def text(value):
    return bytes([0xA0 | len(value)]) + value.encode()


def tokens(index):
    return b"\xdc\x00\x10" + b"".join(b"\xce" + struct.pack(">I", index * 16 + t) for t in range(16))


def hashed(index):
    return b"\xc4\x20" + bytes(24) + struct.pack(">Q", index)


def stored(index, parent):
    return (b"\x88" + text("type") + text("BlockStored") + text("block_hashes") + b"\x91" + hashed(index) + text("parent_block_hash") + (b"\xc0" if parent is None else hashed(parent))
            + text("token_ids") + tokens(index) + text("block_size") + b"\x10" + text("lora_id") + b"\xc0" + text("medium") + text("GPU") + text("lora_name") + b"\xc0")


def removed(first, second):
    return b"\x83" + text("type") + text("BlockRemoved") + text("block_hashes") + b"\x92" + hashed(first) + hashed(second) + text("medium") + text("GPU")


# Prompts of two blocks come and go; every publisher has its own, and each batch of it the same ones.
def batch(publisher):
    events = b""
    for i in range(args.events):
        block = (publisher * args.events + i) * 4 + 4
        if i % 3 == 0:
            events += stored(block, None)
        elif i % 3 == 1:
            events += stored(block, block - 4)
        else:
            events += removed(block - 8, block - 4)
    return (b"\x83" + text("ts") + b"\xcb" + struct.pack(">d", 1.7e9) + text("events") + b"\xdc" + struct.pack(">H", args.events) + events
            + text("data_parallel_rank") + b"\x00")


payloads = [batch(publisher) for publisher in range(args.publishers)]

context = zmq.Context()
sockets = []
for _ in range(args.publishers):
    socket = context.socket(zmq.PUB)
    socket.set_hwm(100_000)
    socket.bind("tcp://127.0.0.1:*")
    sockets.append(socket)
print(*(int(s.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").rsplit(b":", 1)[1]) for s in sockets), flush=True)
input()

# Spread over the interval, as engines that step out of time with each other.
interval = args.events / args.rate
began = time.monotonic()
for sequence in range(int(args.seconds / interval)):
    number = sequence.to_bytes(8, "big")
    for index, socket in enumerate(sockets):
        ahead = (sequence + index / len(sockets)) * interval - (time.monotonic() - began)
        if ahead > 0.001:
            time.sleep(ahead)
        socket.send_multipart((b"", number, payloads[index]))
print("done", time.monotonic() - began, flush=True)
input()
