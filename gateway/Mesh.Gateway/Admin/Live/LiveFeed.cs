using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mesh.Gateway.Admin.Live;

/// <summary>
/// The live state for all viewers: built once for all of them, and only while there are any. A viewer that is too slow for the last <see cref="Kept"/> changes gets the
/// whole state again, so that no viewer makes anything wait or pile up. Thread-safe.
/// </summary>
internal sealed class LiveFeed(AdminServices services, CancellationToken stopping)
{
    /// <summary>Changes that are kept for viewers that are late.</summary>
    public const int Kept = 8;

    /// <summary>Time between two changes, where they are not longer than <see cref="BytesPerSecond"/> allows.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>What one viewer gets in the long run at most.</summary>
    public const int BytesPerSecond = 80_000;

    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly byte[]?[] _changes = new byte[]?[Kept];
    private readonly ArrayBufferWriter<byte> _buffer = new(64 << 10);
    private LiveTables? _tables;
    private TaskCompletionSource _next = NewSignal();
    private byte[]? _whole;
    private DateTimeOffset _time;
    private long _sequence;
    private int _viewers;
    private bool _running;

    /// <summary>Rounds that were built since the start, for tests.</summary>
    public long Rounds { get; private set; }

    /// <summary>Follows the state until the viewer leaves.</summary>
    public async Task FollowAsync(EventSink sink, CancellationToken cancellationToken)
    {
        Join();
        try
        {
            var seen = 0L;
            while (true)
            {
                var (events, upTo, next) = After(seen);
                foreach (var part in events) await sink.WriteAsync(part, cancellationToken);
                seen = upTo;
                if (next is not null) await next.WaitAsync(cancellationToken);
            }
        }
        finally
        {
            lock (_gate) _viewers--;
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Join()
    {
        lock (_gate)
        {
            var isFirst = !_running;
            if (isFirst)
            {
                // What was told before is long past.
                _tables = new LiveTables(services);
                Array.Clear(_changes);
                Build();
                _running = true;
            }

            _viewers++;
            if (!isFirst) return;
        }

        _ = KeepBuildingAsync();
    }

    private (List<byte[]> Events, long UpTo, Task? Next) After(long seen)
    {
        lock (_gate)
        {
            if (seen == _sequence) return ([], seen, _next.Task);
            var events = new List<byte[]>();
            for (var sequence = seen + 1; seen > 0 && _sequence - seen <= Kept && sequence <= _sequence; sequence++)
            {
                if (_changes[sequence % Kept] is { } change) events.Add(change);
            }

            if (events.Count != _sequence - seen) events = [_whole ??= Whole()];
            return (events, _sequence, null);
        }
    }

    private async Task KeepBuildingAsync()
    {
        var pause = Interval;
        while (true)
        {
            await Task.Delay(pause, services.Time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            TaskCompletionSource done;
            lock (_gate)
            {
                if (_viewers == 0 || stopping.IsCancellationRequested)
                {
                    _running = false;
                    _tables = null;
                    _whole = null;
                    return;
                }

                done = _next;
                _next = NewSignal();
                try
                {
                    pause = TimeSpan.FromSeconds(Math.Clamp(Build() / (double)BytesPerSecond, Interval.TotalSeconds, LongestInterval.TotalSeconds));
                }
                catch (Exception e)
                {
                    // The viewers' connections end with it, and the server's log has it; whoever comes next begins anew.
                    _running = false;
                    done.SetException(e);
                    return;
                }
            }

            done.SetResult();
        }
    }

    // One round; the size of its changes in bytes.
    private int Build()
    {
        Rounds++;
        _time = _tables!.Fill().Time;
        _sequence++;
        _whole = null;
        var change = Event("delta", json =>
        {
            foreach (var table in _tables.All) table.WriteChanges(json);
        });
        _changes[_sequence % Kept] = change;
        return change.Length;
    }

    private byte[] Whole() => Event("snapshot", json =>
    {
        foreach (var table in _tables!.All) table.WriteAll(json);
    });

    private byte[] Event(string name, Action<Utf8JsonWriter> write)
    {
        _buffer.ResetWrittenCount();
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"event: {name}\nid: {_sequence}\ndata: "), _buffer);
        using (var json = new Utf8JsonWriter(_buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("sequence"u8, _sequence);
            json.WriteString("time"u8, _time);
            json.WriteStartObject("tables"u8);
            write(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        _buffer.Write("\n\n"u8);
        return _buffer.WrittenSpan.ToArray();
    }
}
