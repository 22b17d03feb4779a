using System.Text;
using Mesh.Zmtp;
using static Mesh.Engine.Tests.KvEvents.Zmtp.WireBytes;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

public class ZmtpSessionTests
{
    private static readonly byte[] Stream =
    [
        .. Greeting(), .. Ready("PUB"), .. Message([], Body(8, 1), Body(300, 2)), .. Command("PING", 0, 100, 65, 66),
        .. Message(Body(1, 3)), .. Message(Body(255, 4), Body(256, 5)), .. Command("FUTURE", 1, 2, 3), 0, 0,
    ];

    private static readonly string[] StreamSeen =
        ["established", "message 0 8x0101 300x0202", "message 1x0303", "message 255x0404 256x0505", "message 0"];

    private const string Pong = "0407" + "04" + "504F4E47" + "4142";

    [Fact]
    public void Start_WritesGreetingAndReady()
    {
        var feeder = new SessionFeeder();
        feeder.Session.Start(feeder.Output);

        Assert.Equal(
            "FF00000000000000007F0301" + "4E554C4C" + new string('0', 32) + new string('0', 64)
            + "041905" + Convert.ToHexString("READY"u8) + "0B" + Convert.ToHexString("Socket-Type"u8) + "00000003" + Convert.ToHexString("SUB"u8),
            feeder.TakeOutput());
    }

    [Fact]
    public void Advance_WholeStream_DeliversMessagesAndAnswersPing()
    {
        var feeder = new SessionFeeder();

        Assert.True(feeder.Feed(Stream));
        Assert.Equal(StreamSeen, feeder.Seen);
        Assert.Equal(Pong, feeder.TakeOutput());
    }

    [Fact]
    public void Advance_OneByteAtATime_DeliversTheSame()
    {
        var feeder = new SessionFeeder();

        foreach (var b in Stream) Assert.True(feeder.Feed([b]));
        Assert.Equal(StreamSeen, feeder.Seen);
        Assert.Equal(Pong, feeder.TakeOutput());
    }

    [Fact]
    public void Advance_CutAtEveryByteBoundary_DeliversTheSame()
    {
        for (var cut = 0; cut <= Stream.Length; cut++)
        {
            var feeder = new SessionFeeder();
            Assert.True(feeder.Feed(Stream.AsSpan(0, cut)) && feeder.Feed(Stream.AsSpan(cut)));
            Assert.Equal(StreamSeen, feeder.Seen);
            Assert.Equal(Pong, feeder.TakeOutput());
        }
    }

    [Fact]
    public void Advance_PingBetweenTheFramesOfAMessage_IsAnsweredAndTheMessageStaysWhole()
    {
        var feeder = Established();

        Assert.True(feeder.Feed([0x01, 1, 0xAA, .. Command("PING", 0, 1), 0x00, 2, 0xBB, 0xBC, .. Message(Body(1, 7))]));
        Assert.Equal(["established", "message 1xAAAA 2xBBBC", "message 1x0707"], feeder.Seen);
        Assert.Equal("0405" + "04" + "504F4E47", feeder.TakeOutput());
    }

    [Theory]
    [InlineData(0, "0003" + "01" + "6B76")]
    [InlineData(1, "040C" + "09" + "535542534352494245" + "6B76")]
    [InlineData(2, "040C" + "09" + "535542534352494245" + "6B76")]
    public void Subscribe_TakesTheFormOfThePeersVersion(int minor, string wire)
    {
        var feeder = new SessionFeeder();
        feeder.Feed([.. Greeting(minor), .. Ready("XPUB")]);

        feeder.Session.Subscribe(feeder.Output, "kv"u8);

        Assert.Equal(wire, feeder.TakeOutput());
    }

    [Fact]
    public void Subscribe_ALongTopic_TakesALongFrame()
    {
        var feeder = new SessionFeeder();
        feeder.Feed([.. Greeting(0), .. Ready("PUB")]);

        feeder.Session.Subscribe(feeder.Output, Body(300, 0x61));

        Assert.StartsWith("02000000000000012D01" + "6161", feeder.TakeOutput());
    }

    [Fact]
    public void Subscribe_BeforeReady_Throws() =>
        Assert.Throws<InvalidOperationException>(() => new SessionFeeder().Session.Subscribe(new System.Buffers.ArrayBufferWriter<byte>(), []));

    [Theory]
    [InlineData("GET / HTTP/1.1", "NotZmtp")]
    [InlineData("\u00ff12345678x", "NotZmtp")]
    public void Greeting_OfAnotherProtocol_FailsAtTheFirstBytes(string text, string failure)
    {
        var feeder = new SessionFeeder();

        Assert.False(feeder.Feed(Encoding.Latin1.GetBytes(text)));
        Assert.Equal([failure], feeder.Seen);
    }

    [Fact]
    public void Greeting_OfVersion2_FailsAtTheVersionByte()
    {
        var feeder = new SessionFeeder();

        Assert.False(feeder.Feed([0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1]));
        Assert.Equal(["UnsupportedVersion"], feeder.Seen);
    }

    [Fact]
    public void Greeting_WithAnotherMechanism_NamesIt()
    {
        var feeder = new SessionFeeder();

        Assert.False(feeder.Feed(Greeting(mechanism: "CURVE")));
        Assert.Equal(["MechanismMismatch: the peer wants CURVE"], feeder.Seen);
    }

    [Fact]
    public void Greeting_OfALaterMajorVersion_IsTakenAs31()
    {
        var greeting = Greeting();
        greeting[10] = 4;
        greeting[11] = 0;
        var feeder = new SessionFeeder();

        Assert.True(feeder.Feed([.. greeting, .. Ready("PUB")]));
        Assert.Equal(1, feeder.Session.PeerMinorVersion);
    }

    [Theory]
    [InlineData("Sub", "PUB", true)]
    [InlineData("Sub", "XPUB", true)]
    [InlineData("Sub", "ROUTER", false)]
    [InlineData("Sub", "", false)]
    [InlineData("Dealer", "ROUTER", true)]
    [InlineData("Dealer", "REP", true)]
    [InlineData("Dealer", "DEALER", true)]
    [InlineData("Dealer", "PUB", false)]
    public void Ready_ChecksThatTheSocketTypesGoTogether(string ours, string theirs, bool accepted)
    {
        var feeder = new SessionFeeder(Enum.Parse<ZmtpSocketType>(ours));

        Assert.Equal(accepted, feeder.Feed([.. Greeting(), .. Ready(theirs)]));
        Assert.Equal(accepted ? "established" : "SocketTypeMismatch: the peer is " + theirs, Assert.Single(feeder.Seen));
    }

    [Fact]
    public void Ready_FindsTheTypeAmongOtherPropertiesWhateverItsCase()
    {
        byte[] metadata = [8, .. "Identity"u8, 0, 0, 0, 0, 11, .. "SOCKET-type"u8, 0, 0, 0, 3, .. "PUB"u8, 1, (byte)'X', 0, 0, 0, 1, 9];
        var feeder = new SessionFeeder();

        Assert.True(feeder.Feed([.. Greeting(), .. Command("READY", metadata)]));
        Assert.True(feeder.Session.IsOpen);
    }

    public static TheoryData<string, byte[]> BadHandshakes => new()
    {
        { "SocketTypeMismatch: the peer does not name its type", Command("READY") },
        { "BadCommand: READY", Command("READY", 11, 1) },
        { "BadCommand: READY", Command("READY", [1, (byte)'X', 0xFF, 0xFF, 0xFF, 0xFF]) },
        { "BadCommand: HELLO before READY", Command("HELLO") },
        { "BadCommand: a command without a name", [4, 0] },
        { "BadCommand: a command without a name", [4, 2, 5, 65] },
        { "BadFrame: a message before READY", Message(Body(1, 1)) },
        { "PeerError: go away", Command("ERROR", [7, .. "go away"u8]) },
        { "PeerError: a??", Command("ERROR", [200, (byte)'a', 0, 0xC3]) },
    };

    [Theory]
    [MemberData(nameof(BadHandshakes))]
    public void Handshake_Broken_SaysHow(string failure, byte[] bytes)
    {
        var feeder = new SessionFeeder();

        Assert.False(feeder.Feed([.. Greeting(), .. bytes]));
        Assert.Equal([failure], feeder.Seen);
        Assert.False(feeder.Feed([0]));
    }

    public static TheoryData<string, byte[]> BadTraffic => new()
    {
        { "BadFrame", [0x08, 0] },
        { "BadFrame", [0x80] },
        { "BadFrame", [0x05, 1, 0] },
        { "FrameTooLarge", [0x02, 0, 0, 0, 0, 0, 0, 0x10, 1] },
        { "FrameTooLarge", [0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] },
        { "FrameTooLarge", [0x06, 0, 0, 0, 0, 0, 0, 0x10, 0] },
        { "MessageTooLarge", [0x03, 0, 0, 0, 0, 0, 0, 0x0F, 0, .. Body(0xF00, 1), 0x02, 0, 0, 0, 0, 0, 0, 0x0F, 0] },
        { "TooManyFrames", [.. Enumerable.Repeat((byte[])[1, 0], 17).SelectMany(f => f)] },
        { "BadCommand: PING", Command("PING", 1) },
        { "BadCommand: PING", Command("PING", Body(19, 0)) },
        { "PeerError: bye", Command("ERROR", [3, .. "bye"u8]) },
    };

    [Theory]
    [MemberData(nameof(BadTraffic))]
    public void Traffic_BrokenOrBeyondABound_FailsFromTheHeader(string failure, byte[] bytes)
    {
        var feeder = Established(new ZmtpOptions { MaxFrameBytes = 4096, MaxMessageBytes = 6000, MaxCommandBytes = 4000 });

        Assert.False(feeder.Feed(bytes));
        Assert.Equal(["established", failure], feeder.Seen);
    }

    [Fact]
    public void Traffic_AtTheBounds_Passes()
    {
        var feeder = Established(new ZmtpOptions { MaxFrameBytes = 4096, MaxMessageBytes = 4105 });

        Assert.True(feeder.Feed([.. Message(Body(4096, 1)), .. Message([.. Enumerable.Repeat((byte[])[], 16)])]));
        Assert.Equal("message 4096x0101", feeder.Seen[1]);
        Assert.Equal(3, feeder.Seen.Count);
    }

    private static SessionFeeder Established(ZmtpOptions? options = null)
    {
        var feeder = new SessionFeeder(ZmtpSocketType.Sub, options);
        Assert.True(feeder.Feed([.. Greeting(), .. Ready("PUB")]));
        return feeder;
    }
}
