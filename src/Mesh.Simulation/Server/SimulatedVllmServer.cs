using System.Globalization;
using System.Net;
using Mesh.Simulation.KvEvents;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mesh.Simulation.Server;

/// <summary>
/// A simulated vLLM server on a real socket: the engine model in real time behind vLLM's HTTP surface. Many fit in one process; an idle one
/// costs a listening socket and no work. Thread-safe.
/// </summary>
public sealed class SimulatedVllmServer : IAsyncDisposable
{
    private readonly SimulatedVllmOptions _options;
    private readonly KestrelServer _server;
    private readonly EngineHost _host;
    private readonly ConnectionTable _connections;
    private readonly RequestCounts _counts;
    private readonly KvEventPublisher? _publisher;
    private int _stopped;

    private SimulatedVllmServer(SimulatedVllmOptions options, KestrelServer server, EngineHost host, ConnectionTable connections, RequestCounts counts, KvEventPublisher? publisher)
    {
        _options = options;
        _server = server;
        _host = host;
        _connections = connections;
        _counts = counts;
        _publisher = publisher;
    }

    /// <summary>Where it listens, as <c>ip:port</c>; stays known after the stop, so that a successor can take the same port.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Port of <see cref="Address"/>.</summary>
    public int Port { get; private set; }

    /// <summary>Port at which it publishes what its cache holds; null when it does not.</summary>
    public int? KvEventsPort => _publisher?.Port;

    /// <summary>Port at which it replays that; null when it does not.</summary>
    public int? KvReplayPort => _publisher?.ReplayPort;

    /// <summary>Batches of cache events published, the lost ones included.</summary>
    public long KvBatchesPublished => _publisher?.Published ?? 0;

    /// <summary>Sequences in the running batch; in instant mode requests being answered.</summary>
    public int RunningRequests => _options.Instant ? _counts.Open : _host.Running;

    /// <summary>Blocks that prompts can find in its cache.</summary>
    public int CachedBlocks
    {
        get
        {
            var blocks = new int[1];
            _host.Read(blocks, static (engine, into) => into[0] = engine.BlocksCached);
            return blocks[0];
        }
    }

    /// <summary>Sequences in the queue.</summary>
    public int WaitingRequests => _host.Waiting;

    /// <summary>Inference requests that have come, whatever became of them.</summary>
    public long ArrivedRequests => _counts.ArrivedTotal;

    /// <summary>Times that its metrics were read.</summary>
    public long MetricsReads => _counts.MetricsReadsTotal;

    /// <summary>Inference requests that were answered in full.</summary>
    public long CompletedRequests => _counts.CompletedTotal;

    /// <summary>Inference requests whose client went away first, or that the end of the server cut.</summary>
    public long AbortedRequests => _counts.AbortedTotal;

    /// <summary>Starts a server; when the task completes it accepts connections.</summary>
    /// <exception cref="ArgumentException">The options have mistakes; the message lists all of them.</exception>
    /// <exception cref="IOException">The address cannot be listened on, for example because the port is in use.</exception>
    public static async Task<SimulatedVllmServer> StartAsync(SimulatedVllmOptions options, CancellationToken cancellationToken)
    {
        var errors = options.Validate();
        if (errors.Count > 0) throw new ArgumentException(string.Join("; ", errors), nameof(options));
        options.TryParseHost(out var address);

        var counts = new RequestCounts();
        var connections = new ConnectionTable();
        var publisher = options.KvEvents is { } events ? KvEventPublisher.Start(events, address, options.TimeProvider) : null;
        var recorder = publisher is null ? null : new KvEventRecorder(publisher, options.KvEvents!, options.BlockSize, options.TimeProvider);
        var host = new EngineHost(options.ToModelOptions(), options.TimeProvider, options.Speed, options.MaxNumQueuedRequests, recorder);
        var kestrel = CreateKestrel(options, new IPEndPoint(address, options.Port), connections);
        var server = new SimulatedVllmServer(options, kestrel, host, connections, counts, publisher);
        try
        {
            await kestrel.StartAsync(new VllmApplication(options, host, counts), cancellationToken);
        }
        catch
        {
            host.Dispose();
            kestrel.Dispose();
            if (publisher is not null) await publisher.DisposeAsync();
            throw;
        }

        var bound = new Uri(kestrel.Features.Get<IServerAddressesFeature>()!.Addresses.First());
        server.Port = bound.Port;
        server.Address = string.Create(CultureInfo.InvariantCulture, $"{bound.Host}:{bound.Port}");
        return server;
    }

    /// <summary>Stops listening, lets the answers in flight end, up to the time-out in the options, then cuts what is left.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0) return;
        using var deadline = new CancellationTokenSource(_options.ShutdownTimeout, _options.TimeProvider);
        await _server.StopAsync(deadline.Token);
        await EndAsync();
    }

    /// <summary>Stops listening and resets every connection at once, as the kernel does for a killed process.</summary>
    public async Task KillAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0) return;
        _connections.ResetAll();
        await _server.StopAsync(new CancellationToken(canceled: true));
        await EndAsync();
    }

    /// <summary>Stops gracefully if nothing has stopped it yet.</summary>
    public async ValueTask DisposeAsync() => await StopAsync();

    private static KestrelServer CreateKestrel(SimulatedVllmOptions options, IPEndPoint endpoint, ConnectionTable connections)
    {
        var kestrelOptions = new KestrelServerOptions { AddServerHeader = false, AllowSynchronousIO = false };
        kestrelOptions.Limits.MaxRequestBodySize = options.MaxRequestBodyBytes;
        kestrelOptions.Limits.KeepAliveTimeout = options.KeepAliveTimeout;
        // A slow reader is a client's right: vLLM has no least rate either.
        kestrelOptions.Limits.MinResponseDataRate = null;
        kestrelOptions.Limits.MinRequestBodyDataRate = null;
        kestrelOptions.Listen(endpoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => connections.ServeAsync(connection, next));
        });
        var transportOptions = new SocketTransportOptions { UnsafePreferInlineScheduling = options.Instant };
        var transport = new SocketTransportFactory(Options.Create(transportOptions), NullLoggerFactory.Instance);
        return new KestrelServer(Options.Create(kestrelOptions), transport, NullLoggerFactory.Instance);
    }

    private async Task EndAsync()
    {
        _host.Dispose();
        _server.Dispose();
        if (_publisher is not null) await _publisher.DisposeAsync();
    }
}
