using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Net;
using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Grains.Tests.Federation;

/// <summary>
/// A peer region without sockets: a hub of its own, whose pool has room for as many requests as a test says, and which is reached, and reaches gateways of the
/// other region, by pipes.
/// </summary>
internal sealed class PeerInMemory : IRegionEngine, IAsyncDisposable
{
    public const string Name = "far";
    private readonly FederationHub _hub;
    private readonly PoolId _pool;
    private int _open;
    private long _receivedEpoch;
    private long _received;
    private bool _isDisposed;

    public PeerInMemory(PoolId pool, string other)
    {
        _pool = pool;
        var address = new PeerAddress(other, other, [new Uri("http://other.test")]);
        _hub = new FederationHub(new FederationSettings { Name = Name, Region = Name, Peers = [address] }, this, _ => new HttpMessageInvoker(new ToGateways(this)), TimeProvider.System, NullLoggerFactory.Instance);
    }

    /// <summary>The peer as the other region has it configured.</summary>
    public static PeerAddress Address { get; } = new(Name, Name, [new Uri("http://far.test")]);

    /// <summary>Gateways of the other region, of which it speaks to one.</summary>
    public List<IFederation> Gateways { get; } = [];

    /// <summary>What a report grants.</summary>
    public double Grant { get; set; }

    /// <summary>Requests have arrived: so many of one epoch are counted from now on.</summary>
    public void Count(long epoch, long received)
    {
        lock (Readers) (_receivedEpoch, _received) = (epoch, received);
    }

    /// <summary>Streams of its reports that are open.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Starts of those that have opened one, in order.</summary>
    public List<long> Readers { get; } = [];

    /// <summary>State of the link, as it sees it.</summary>
    public PeerReach State => _hub.Peers().Single().State;

    /// <summary>Last report of the other region.</summary>
    public RegionReport? Heard { get; private set; }

    public void Start() => _hub.Start();

    /// <summary>A client towards this peer.</summary>
    public HttpMessageInvoker Connect() => new(new ToHere(this));

    public void Federate(ImmutableArray<string> regions, Action reportSooner, Func<ImmutableArray<PeerLinkSnapshot>> snapshot)
    {
    }

    public ImmutableArray<PoolReport> BuildReport(string receiver)
    {
        lock (Readers) return [Report() with { ReceivedEpoch = _receivedEpoch, Received = _received }];
    }

    private PoolReport Report() => new()
    {
        Pool = _pool,
        Epoch = 1,
        Tiers = [new TierReport(BackendPreference.Default, 2, 2) { Spare = Grant, Grant = Grant, TargetCapacity = 100, Load = 0, Fullness = 0 }],
        MarginalWaitMs = 0,
        WaitLadderMs = [0, 0],
    };

    public void ApplyPeer(RegionReport report) => Heard = report;

    public void PeerLost(string region)
    {
    }

    public void ApplyRoundTrip(string region, TimeSpan roundTrip)
    {
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        await _hub.DisposeAsync();
    }

    private static HttpResponseMessage Answer(PeerIdentity self, Pipe pipe)
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(pipe.Reader.AsStream()) };
        foreach (var (name, value) in self.Headers()) response.Headers.TryAddWithoutValidation(name, value);
        return response;
    }

    private static PeerIdentity Who(HttpRequestMessage request) =>
        PeerIdentity.Read(name => request.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null)!;

    private static void Relay(IFederation from, PeerIdentity reader, Pipe pipe, Action? ended, CancellationToken cancellationToken)
    {
        var self = from.Self;
        _ = Task.Run(
            async () =>
            {
                await from.PublishAsync(self, reader, pipe.Writer, cancellationToken);
                await pipe.Writer.CompleteAsync();
                ended?.Invoke();
            },
            CancellationToken.None);
    }

    /// <summary>Of the other region's grain to this peer.</summary>
    private sealed class ToHere(PeerInMemory peer) : HttpMessageHandler
    {
        private readonly CancellationTokenSource _end = new();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var reader = Who(request);
            lock (peer.Readers) peer.Readers.Add(reader.Epoch);
            Interlocked.Increment(ref peer._open);
            var pipe = new Pipe();
            Relay(peer._hub, reader, pipe, () => Interlocked.Decrement(ref peer._open), _end.Token);
            return Task.FromResult(Answer(peer._hub.Self, pipe));
        }

        protected override void Dispose(bool disposing)
        {
            _end.Cancel();
            base.Dispose(disposing);
        }
    }

    /// <summary>Of this peer to a gateway of the other region: another one each time.</summary>
    private sealed class ToGateways(PeerInMemory peer) : HttpMessageHandler
    {
        private static int _last;
        private readonly CancellationTokenSource _end = new();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (peer.Gateways.Count == 0) throw new HttpRequestException("no gateway yet");
            var gateway = peer.Gateways[Interlocked.Increment(ref _last) % peer.Gateways.Count];
            var pipe = new Pipe();
            var answer = Answer(gateway.Self, pipe);
            Relay(gateway, Who(request), pipe, null, _end.Token);
            return Task.FromResult(answer);
        }

        protected override void Dispose(bool disposing)
        {
            _end.Cancel();
            base.Dispose(disposing);
        }
    }
}
