using System.Net;
using Mesh.Core.Regions;
using Mesh.Engine.Federation;
using Mesh.Engine.Federation.Frames;
using Mesh.Engine.Federation.Links;
using Mesh.Regions.Tests.Support;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Regions.Tests.Links;

/// <summary>A peer that comes for our reports is there: whoever pauses before the next attempt goes on at once.</summary>
public sealed class GreetingTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Peer _peer;
    private readonly Network _network = new();
    private readonly Task _following;

    public GreetingTests()
    {
        _peer = new Peer(new PeerAddress("b", "b", [new Uri("http://127.0.0.1:1")]), new RegionOptions(), _time);
        var settings = new FederationSettings { Name = "a", Region = "a" };
        var self = new PeerIdentity("a", "a", ReportFrame.Protocol, 5, "1");
        var follower = new PeerFollower(_peer, self, settings, _ => new HttpMessageInvoker(_network, disposeHandler: false), (_, _, _, _) => { }, _ => { }, _time, NullLogger.Instance);
        _following = Task.Run(() => follower.RunAsync(_stop.Token));
    }

    public void Dispose()
    {
        _stop.Cancel();
        _following.Wait(Patience);
        _peer.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task Greeting_WhilePausing_IsFollowedByAnAttemptAtOnce()
    {
        await AttemptsAsync(1);
        // The clock stands still: nothing else ends the pause.
        _peer.Greeted(7);
        await AttemptsAsync(2);
    }

    [Fact]
    public async Task Greeting_AgainAndAgain_IsFollowedNoOftenerThanThePausesAllow()
    {
        await AttemptsAsync(1);
        _peer.Greeted(7);
        await AttemptsAsync(2);
        for (var i = 0; i < 100; i++) _peer.Greeted(7);
        await Task.Delay(100);
        Assert.Equal(2, _network.Attempts);
        // From then on at the usual pace: pauses of 25 ms and more.
        _time.Advance(TimeSpan.FromMilliseconds(50));
        await AttemptsAsync(3);
    }

    [Fact]
    public async Task Greeting_OfAnotherStartThanTheOpenStreams_EndsTheStream()
    {
        await AttemptsAsync(1);
        _network.AnswersAs = new PeerIdentity("b", "b", ReportFrame.Protocol, 7, "1");
        _peer.Greeted(7);
        await Poll.UntilAsync(() => Task.FromResult(_peer.Snapshot().Connections == 1), Patience, () => _peer.Snapshot().ToString());
        _peer.Greeted(7);
        await Task.Delay(50);
        Assert.Equal(2, _network.Attempts);
        _network.AnswersAs = _network.AnswersAs with { Epoch = 8 };
        _peer.Greeted(8);
        // The pause between two greetings that count.
        await Poll.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(10));
                return Task.FromResult(_peer.Snapshot().Connections == 2);
            }, Patience, () => _peer.Snapshot().ToString());
    }

    private Task AttemptsAsync(int count) => Poll.UntilAsync(() => Task.FromResult(_network.Attempts == count), Patience, () => $"{_network.Attempts} attempts");

    /// <summary>Nobody answers, or somebody whose stream never says a word.</summary>
    private sealed class Network : HttpMessageHandler
    {
        private int _attempts;

        public int Attempts => Volatile.Read(ref _attempts);

        public PeerIdentity? AnswersAs { get; set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _attempts);
            if (AnswersAs is not { } identity) throw new HttpRequestException("nobody listens there");
            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new SilentStream()) };
            foreach (var (name, value) in identity.Headers()) response.Headers.TryAddWithoutValidation(name, value);
            return Task.FromResult(response);
        }
    }

    private sealed class SilentStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
