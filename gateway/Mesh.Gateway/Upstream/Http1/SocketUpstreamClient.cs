using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>HTTP/1.1 in clear text over sockets of our own: pooled per endpoint, one send for a request, nothing allocated per chunk.</summary>
internal sealed class SocketUpstreamClient : IUpstreamClient
{
    private readonly ConcurrentDictionary<EndpointId, EndpointPool> _pools = new();
    private readonly UpstreamLimits _limits;
    private readonly TimeProvider _time;
    private readonly ITimer _seconds;
    private readonly bool _usesLoops;
    private readonly ConnectionCounters _counters;

    /// <param name="limits">Bounds.</param>
    /// <param name="time">Clock of the time-outs.</param>
    /// <param name="usesLoops">Sockets on <see cref="Transport.SocketLoop"/>s, where the system has them; else the framework's.</param>
    /// <param name="metrics">Where connections are counted; null counts for nobody.</param>
    public SocketUpstreamClient(UpstreamLimits limits, TimeProvider time, bool usesLoops = true, GatewayMetrics? metrics = null)
    {
        _counters = new ConnectionCounters(metrics ?? new GatewayMetrics());
        _usesLoops = usesLoops && Transport.Libc.IsSupported;
        _limits = limits;
        _time = time;
        var second = TimeSpan.FromSeconds(1);
        _seconds = time.CreateTimer(static c => ((SocketUpstreamClient)c!).Tick(), this, second, second);
    }

    /// <summary>The pool of an endpoint, for tests.</summary>
    internal EndpointPool PoolOf(EndpointId endpoint) =>
        _pools.TryGetValue(endpoint, out var known) ? known : _pools.GetOrAdd(endpoint, static (e, client) => new EndpointPool(e.Address, client._limits, client._counters), this);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<UpstreamResult> SendAsync(UpstreamRequest request, CancellationToken cancellationToken)
    {
        if (PoolOf(request.Endpoint).TryTake() is { } reused)
        {
            var result = await ExchangeAsync(reused, request, cancellationToken);
            // An idle connection that the endpoint closed just as it was used: no byte came, and it says nothing about the endpoint.
            if (result.Failure != UpstreamFailure.ResetBeforeHead) return result;
        }

        var (connection, failure) = await ConnectAsync(request.Endpoint, cancellationToken);
        return connection is null ? failure : await ExchangeAsync(connection, request, cancellationToken);
    }

    public void Dispose()
    {
        _seconds.Dispose();
        foreach (var pool in _pools.Values) pool.Close();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<UpstreamResult> ExchangeAsync(UpstreamConnection connection, UpstreamRequest request, CancellationToken cancellationToken)
    {
        connection.Begin(HttpMethods.IsHead(request.Method));
        var registration = cancellationToken.UnsafeRegister(static c => ((UpstreamConnection)c!).Abort(UpstreamFailure.Cancelled), connection);
        var head = RequestHeadWriter.Write(request, connection.Pool.HostHeader, out var bodyBytes);
        bool isSent;
        try
        {
            isSent = await connection.SendAsync(head);
            if (isSent && bodyBytes < request.Body.Length) isSent = await SendBodyAsync(connection, request, bodyBytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(head.Array!);
        }

        // Also where the request could not be sent to its end: an endpoint that refuses a request early may have said why.
        var failure = await connection.WaitForHeadAsync();
        if (failure == UpstreamFailure.None) return UpstreamResult.Answered(new SocketUpstreamResponse(connection, cancellationToken, registration));
        registration.Unregister();
        var detail = connection.Detail;
        connection.Pool.Discard(connection);
        if (cancellationToken.IsCancellationRequested) failure = UpstreamFailure.Cancelled;
        return UpstreamResult.Failed(failure, failure == UpstreamFailure.Cancelled ? null : detail ?? (isSent ? null : "The request could not be sent."));
    }

    private static async ValueTask<bool> SendBodyAsync(UpstreamConnection connection, UpstreamRequest request, int from)
    {
        // The send may outlive the request that began it, if that is given up.
        if (!request.Body.TryRetain()) return false;
        try
        {
            return await connection.SendAsync(request.Body.Memory[from..]);
        }
        finally
        {
            request.Body.Release();
        }
    }

    private async ValueTask<(UpstreamConnection? Connection, UpstreamResult Failure)> ConnectAsync(EndpointId endpoint, CancellationToken cancellationToken)
    {
        var pool = PoolOf(endpoint);
        if (pool.EndPoint is not { } address) return (null, UpstreamResult.Failed(UpstreamFailure.ConnectFailed, $"{endpoint} is not host:port."));
        UpstreamSocket socket;
        try
        {
            using var timeout = new CancellationTokenSource(_limits.ConnectTimeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            socket = _usesLoops && address is IPEndPoint ip ? await LoopUpstreamSocket.ConnectAsync(ip, either.Token) : await ManagedUpstreamSocket.ConnectAsync(address, either.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            if (cancellationToken.IsCancellationRequested) return (null, UpstreamResult.Failed(UpstreamFailure.Cancelled, null));
            var detail = e is OperationCanceledException ? $"No connection within {_limits.ConnectTimeout.TotalSeconds:0.###} s." : e.Message;
            return (null, UpstreamResult.Failed(UpstreamFailure.ConnectFailed, detail));
        }

        var connection = new UpstreamConnection(socket, pool, _limits);
        while (!pool.TryAdd(connection))
        {
            // The pool was given up after a minute without use, just now.
            _pools.TryRemove(new(endpoint, pool));
            pool = PoolOf(endpoint);
            connection = new UpstreamConnection(socket, pool, _limits);
        }

        // One that has ended at once is found out by the exchange.
        connection.WatchNew();
        return (connection, default);
    }

    private void Tick()
    {
        foreach (var (endpoint, pool) in _pools)
        {
            if (pool.Tick()) _pools.TryRemove(new(endpoint, pool));
        }
    }
}
