using System.Buffers;
using Mesh.Zmtp;
using Xunit.Abstractions;
using static Mesh.Engine.Tests.KvEvents.Zmtp.WireBytes;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

public class ZmtpFuzzTests(ITestOutputHelper output)
{
    private const ulong Seed = 20260513;
    private const int Inputs = 1_000_000;

    [Fact]
    public void Session_AMillionInputsInPieces_NeitherThrowsNorHoldsMemory()
    {
        output.WriteLine($"seed {Seed}");
        byte[] opening = [.. Greeting(), .. Ready("PUB")];
        var mutator = new ByteMutator(Seed, [
            [.. Message([], Body(8, 1), Body(90, 2)), .. Command("PING", 0, 100, 1, 2)],
            [.. Message(Body(3, 1)), 2, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4, .. Command("PONG"), .. Message([], [])],
            [.. Command("ERROR", 1, 65), .. Command("READY")],
            [.. opening, .. Message(Body(1, 1))],
        ], 256);
        var options = new ZmtpOptions { MaxFrameBytes = 128, MaxMessageBytes = 200, MaxCommandBytes = 64 };
        var replies = new ArrayBufferWriter<byte>(1024);
        long messages = 0, failures = 0, open = 0;
        for (var i = 0; i < Inputs; i++)
        {
            var session = new ZmtpSession(ZmtpSocketType.Sub, options);
            // Most inputs come after a good opening, where traffic is; the others are openings themselves.
            if (i % 8 != 0) Run(session, opening, mutator, replies);
            replies.ResetWrittenCount();
            var (seen, failed) = Run(session, mutator.Next(), mutator, replies);
            messages += seen;
            if (failed) failures++;
            else open++;
            if (replies.WrittenCount > 1024) Assert.Fail($"{replies.WrittenCount} bytes of answers to input {i}");
        }

        output.WriteLine($"{messages} messages, {failures} failures, {open} still open");
        Assert.True(messages > Inputs / 4 && failures > Inputs / 10 && open > Inputs / 10);
        Assert.InRange(replies.Capacity, 0, 4096);
    }

    // Hands the input over in two pieces, cut anywhere, and checks every answer against the bytes that were there.
    private static (int Messages, bool Failed) Run(ZmtpSession session, ReadOnlySpan<byte> input, ByteMutator mutator, ArrayBufferWriter<byte> replies)
    {
        var (messages, start, end) = (0, 0, mutator.Random.NextInt32(input.Length + 1));
        while (true)
        {
            var unread = input[start..end];
            var step = session.Advance(unread, replies, out var consumed);
            if ((uint)consumed > (uint)unread.Length) Assert.Fail("consumed more than there was: " + Convert.ToHexString(input));
            if (step == ZmtpStep.Failed) return (messages, true);
            if (step == ZmtpStep.Message)
            {
                messages++;
                var message = new ZmtpMessage(unread, session.Frames);
                for (var i = 0; i < message.Count; i++) _ = message[i];
            }
            start += consumed;
            if (step != ZmtpStep.NeedMore) continue;
            if (end == input.Length) return (messages, false);
            end = input.Length;
        }
    }
}
