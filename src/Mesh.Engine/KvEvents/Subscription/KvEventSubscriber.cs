using System.Buffers.Binary;
using System.Text;
using System.Threading.Channels;
using Mesh.Engine.KvEvents.Events;
using Mesh.Zmtp;
using Mesh.Zmtp.Transport;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>
/// Follows the cache events of one engine of a model server: connects, subscribes, asks for what was missed, connects again, and tells
/// one sink everything once and in order, or tells it to forget. Runs until cancelled. <see cref="Status"/> may be read from any thread.
/// </summary>
/// <remarks>
/// 1. connect the SUB socket and subscribe; 2. ask the replay address for everything since the last batch known, or since the first;
/// 3. meanwhile hold back what comes live; 4. follow; 5. at a gap, or when silent for long, go to 2; when disconnected, to 1.
/// </remarks>
public sealed class KvEventSubscriber
{
    private const int LiveFrames = 3;

    private readonly KvEventSource _source;
    private readonly KvEventSubscriberOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly KvEventIntake _intake;
    private readonly ReconnectBackoff _reconnect;
    private readonly ReconnectBackoff _retryReplay;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int _started;

    /// <summary>Prepares a subscription; <see cref="RunAsync"/> starts it.</summary>
    /// <param name="source">Where the events come from.</param>
    /// <param name="sink">Who is told of them.</param>
    /// <param name="options">Times and bounds.</param>
    /// <param name="clock">The clock of every time-out.</param>
    /// <param name="seed">Seed of the jitter; give every subscription its own.</param>
    /// <param name="logger">Changes of state at Information, connections at Debug.</param>
    /// <exception cref="ArgumentException">The source or an option is out of range.</exception>
    public KvEventSubscriber(KvEventSource source, IKvEventSink sink, KvEventSubscriberOptions options, TimeProvider clock, ulong seed, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(sink);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(logger);
        source.Validate();
        options.Validate();
        _source = source;
        _options = options;
        _clock = clock;
        _logger = logger;
        _intake = new KvEventIntake(source, sink, options, clock, logger);
        _reconnect = new ReconnectBackoff(options.FirstReconnectWait, options.LongestReconnectWait, seed);
        _retryReplay = new ReconnectBackoff(options.FirstReconnectWait, options.LongestReconnectWait, ~seed);
    }

    /// <summary>How the subscription stands.</summary>
    public KvSubscriptionStatus Status => _intake.Status;

    /// <summary>
    /// Runs until cancelled, then returns; a publisher that is away or broken never ends it. What the sink knows is left as it is.
    /// </summary>
    /// <exception cref="InvalidOperationException">It has been run before.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0) throw new InvalidOperationException("a subscriber runs once");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = UntilStoppedAsync(FollowAsync, stop);
        var replaying = _source.ReplayPort is null ? Task.CompletedTask : UntilStoppedAsync(ReplayAsync, stop);
        await Task.WhenAll(following, replaying).ConfigureAwait(false);
    }

    // One half that fails, by a sink that throws, takes the other one with it.
    private static async Task UntilStoppedAsync(Func<CancellationToken, Task> half, CancellationTokenSource stop)
    {
        try
        {
            await half(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var topic = Encoding.UTF8.GetBytes(_source.Topic);
        // Runs while a connection that once stood is gone, whatever the attempts to connect again are waiting for.
        var forgetting = _clock.CreateTimer(
            static self => ((KvEventSubscriber)self!)._intake.AbandonIfDisconnected("out of reach for too long"), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var disposing = forgetting.ConfigureAwait(false);
        while (!cancellationToken.IsCancellationRequested)
        {
            var connection = new ZmtpConnection(ZmtpSocketType.Sub, _options.ForLive(), _clock, new PolledTransport(ZmtpPoller.Shared));
            await using (connection.ConfigureAwait(false))
            {
                using var stopped = cancellationToken.UnsafeRegister(static c => ((ZmtpConnection)c!).Fail(ZmtpFailure.Closed), connection);
                if (await connection.OpenAsync(_source.Host, _source.Port, cancellationToken).ConfigureAwait(false))
                {
                    // :: Step 1
                    var openedAt = _clock.GetTimestamp();
                    connection.Subscribe(topic);
                    forgetting.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    _intake.Connected();
                    Wake();
                    await ReadLiveAsync(connection).ConfigureAwait(false);
                    if (!cancellationToken.IsCancellationRequested) forgetting.Change(_options.ForgetAfter, Timeout.InfiniteTimeSpan);
                    // A connection that lasted was a good one; one that breaks at once keeps backing off.
                    if (_clock.GetElapsedTime(openedAt) > _options.LongestReconnectWait) _reconnect.Reset();
                }
                if (cancellationToken.IsCancellationRequested) return;
                KvEventLog.ConnectionEnded(_logger, _source.Host, _source.Port, connection.Failure, connection.FailureDetail);
                _intake.Disconnected("connection: " + connection.Failure);
            }
            await Task.Delay(_reconnect.Next(), _clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReadLiveAsync(ZmtpConnection connection)
    {
        do
        {
            // :: Steps 3 and 4
            if (TakeLive(connection)) Wake();
        }
        while (await connection.FillAsync().ConfigureAwait(false));
    }

    // True: something is missing.
    private bool TakeLive(ZmtpConnection connection)
    {
        using (_intake.EnterLive())
        {
            while (connection.TryRead(out var message))
            {
                if (message.Count == LiveFrames && message[1].Length == sizeof(ulong))
                    _intake.TakeLive(BinaryPrimitives.ReadUInt64BigEndian(message[1]), message[2]);
                else
                    _intake.CountMalformed();
            }
            return _intake.ReplayWanted;
        }
    }

    private async Task ReplayAsync(CancellationToken cancellationToken)
    {
        // The ticks only ask whether a check is due: half an interval late at most.
        var ticks = _clock.CreateTimer(static self => ((KvEventSubscriber)self!).Wake(), this, _options.TailCheckInterval / 2, _options.TailCheckInterval / 2);
        await using var ticking = ticks.ConfigureAwait(false);
        while (await _wake.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            _wake.Reader.TryRead(out _);
            // :: Steps 2 and 5
            while (_intake.TryBeginReplay(out var from))
            {
                var failed = false;
                await ReplayRequest.RunAsync(_source, from, _intake, _options, _clock, (sequence, failure, detail) =>
                {
                    failed = true;
                    KvEventLog.ReplayFailed(_logger, _source.Host, _source.ReplayPort!.Value, sequence, failure, detail);
                }, cancellationToken).ConfigureAwait(false);
                if (cancellationToken.IsCancellationRequested) return;
                if (failed) await Task.Delay(_retryReplay.Next(), _clock, cancellationToken).ConfigureAwait(false);
                else _retryReplay.Reset();
            }
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);
}
