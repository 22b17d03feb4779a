"""A publisher of cache events over libzmq, with a replay ROUTER, driven by its command line.

Event i of generation g carries the hash g * 2^40 + i; every third one removes, every thousandth clears. A batch's bytes depend on
generation and sequence alone, so that a process started with --first can go on where another one was killed.
"""
import argparse
import collections
import mmap
import struct
import sys
import time

import zmq

options = argparse.ArgumentParser()
options.add_argument("--pub", type=int, default=0, help="port, 0 for any")
options.add_argument("--replay", type=int, default=0, help="port, 0 for any, -1 for none")
options.add_argument("--batches", type=int, required=True, help="sequence to stop before")
options.add_argument("--events", type=int, default=20, help="events per batch")
options.add_argument("--first", type=int, default=0, help="sequence to begin with; earlier ones are replayable")
options.add_argument("--generation", type=int, default=0)
options.add_argument("--memory", type=int, default=10_000, help="batches kept for replay")
options.add_argument("--rate", type=float, default=0, help="batches per second, 0 for as fast as possible")
options.add_argument("--lose", type=int, default=0, help="one batch in so many is kept but not published")
options.add_argument("--lose-from", type=int, default=-1)
options.add_argument("--lose-to", type=int, default=-1)
options.add_argument("--arrays", action="store_true", help="events as arrays rather than maps")
options.add_argument("--bytes", action="store_true", help="hashes as 32 bytes rather than integers")
options.add_argument("--padding", type=int, default=0, help="bytes of an unknown field in every batch")
options.add_argument("--topic", default="")
options.add_argument("--progress", help="file of 8 bytes: the next sequence, written before it is sent")
args = options.parse_args()


def text(value):
    return bytes([0xA0 | len(value)]) + value.encode()


def hashed(index):
    value = (args.generation << 40) + index
    return b"\xc4\x20" + bytes(24) + struct.pack(">Q", value) if args.bytes else b"\xcf" + struct.pack(">Q", value)


TOKENS = b"\xdc\x00\x10" + b"".join(b"\xcd" + struct.pack(">H", 1000 + t) for t in range(16))
if args.arrays:
    STORED = b"\x97" + text("BlockStored") + b"\x91"
    STORED_END = b"\xc0" + TOKENS + b"\x10\xc0" + text("GPU")
    REMOVED = b"\x93" + text("BlockRemoved") + b"\x91"
    REMOVED_END = text("GPU")
    CLEARED = b"\x91" + text("AllBlocksCleared")
else:
    STORED = b"\x88" + text("type") + text("BlockStored") + text("block_hashes") + b"\x91"
    STORED_END = (text("parent_block_hash") + b"\xc0" + text("token_ids") + TOKENS + text("block_size") + b"\x10" + text("lora_id") + b"\xc0"
                  + text("medium") + text("GPU") + text("lora_name") + b"\xc0")
    REMOVED = b"\x83" + text("type") + text("BlockRemoved") + text("block_hashes") + b"\x91"
    REMOVED_END = text("medium") + text("GPU")
    CLEARED = b"\x81" + text("type") + text("AllBlocksCleared")


def batch(sequence):
    parts = []
    first = sequence * args.events
    for index in range(first, first + args.events):
        if index % 1000 == 999:
            parts.append(CLEARED)
        elif index % 3 == 2:
            parts.append(REMOVED + hashed(index) + REMOVED_END)
        else:
            parts.append(STORED + hashed(index) + STORED_END)
    stamp = b"\xcb" + struct.pack(">d", 1.7e9 + args.generation * 1e6 + sequence * 0.01)
    events = b"\xdc" + struct.pack(">H", args.events) + b"".join(parts)
    if args.arrays:
        return b"\x93" + stamp + events + b"\x00"
    pad = text("padding") + b"\xc6" + struct.pack(">I", args.padding) + bytes(args.padding) if args.padding else b""
    return bytes([0x84 if pad else 0x83]) + text("ts") + stamp + text("events") + events + text("data_parallel_rank") + b"\x00" + pad


context = zmq.Context()
pub = context.socket(zmq.PUB)
pub.set_hwm(100_000)
pub.bind("tcp://127.0.0.1:%s" % (args.pub or "*"))
replay = None
if args.replay >= 0:
    replay = context.socket(zmq.ROUTER)
    replay.bind("tcp://127.0.0.1:%s" % (args.replay or "*"))


def port(socket):
    return int(socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").rsplit(b":", 1)[1]) if socket else 0


progress = None
if args.progress:
    with open(args.progress, "r+b") as file:
        progress = mmap.mmap(file.fileno(), 8)

memory = collections.deque(((s, batch(s)) for s in range(max(0, args.first - args.memory), args.first)), maxlen=args.memory)
topic = args.topic.encode()
print(port(pub), port(replay), flush=True)


def serve():
    if replay is None or not replay.poll(0):
        return
    frames = replay.recv_multipart()
    if len(frames) != 3:
        print("odd request of", len(frames), "frames", file=sys.stderr, flush=True)
        return
    client, _, start = frames
    start = int.from_bytes(start, "big")
    for sequence, payload in memory:
        if sequence >= start:
            replay.send_multipart((client, b"", sequence.to_bytes(8, "big"), payload))
    replay.send_multipart((client, b"", (-1).to_bytes(8, "big", signed=True), b""))


began = time.monotonic()
for sequence in range(args.first, args.batches):
    serve()
    if args.rate:
        ahead = (sequence - args.first) / args.rate - (time.monotonic() - began)
        if ahead > 0.002:
            time.sleep(ahead)
    payload = batch(sequence)
    if progress:
        progress[:] = struct.pack("<Q", sequence + 1)
    lost = (args.lose and (sequence * 2654435761 >> 7) % args.lose == 0) or args.lose_from <= sequence < args.lose_to
    if not lost:
        pub.send_multipart((topic, sequence.to_bytes(8, "big"), payload))
    memory.append((sequence, payload))

print("done", flush=True)
while True:
    serve()
    time.sleep(0.01)
