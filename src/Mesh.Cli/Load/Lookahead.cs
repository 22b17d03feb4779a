namespace Mesh.Cli.Load;

/// <summary>A request with its body, ready to be sent.</summary>
internal readonly record struct ReadyRequest(TimeSpan At, byte[] Body, int Length);

/// <summary>
/// Requests made ready before their time, so that making long prompts delays none. One thread puts, one takes. Bounded by number and by
/// bytes; the one that puts waits when it is full. Both give up when the run is ended.
/// </summary>
internal sealed class Lookahead(CancellationToken ended)
{
    private const int MaxRequests = 8192;
    private const long MaxBytes = 128 << 20;
    private const int WaitMs = 50;

    private readonly Lock _lock = new();
    private readonly Queue<ReadyRequest> _ready = [];
    private readonly AutoResetEvent _changed = new(false);
    private long _bytes;
    private bool _isComplete;

    /// <summary>Adds a request, waiting for room.</summary>
    /// <returns>False when the run is ended.</returns>
    public bool Put(in ReadyRequest request)
    {
        while (!ended.IsCancellationRequested)
        {
            lock (_lock)
            {
                if (_ready.Count == 0 || (_ready.Count < MaxRequests && _bytes + request.Body.Length <= MaxBytes))
                {
                    _ready.Enqueue(request);
                    _bytes += request.Body.Length;
                    if (_ready.Count == 1) _changed.Set();
                    return true;
                }
            }

            // The taker does not wake this thread: a full store lasts longer than this.
            Thread.Sleep(1);
        }

        return false;
    }

    /// <summary>Nothing more comes.</summary>
    public void Complete()
    {
        lock (_lock) _isComplete = true;
        _changed.Set();
    }

    /// <summary>Takes the next request, waiting for it.</summary>
    /// <returns>False when there are no more, or when the run is ended.</returns>
    public bool TryTake(out ReadyRequest request)
    {
        request = default;
        while (!ended.IsCancellationRequested)
        {
            lock (_lock)
            {
                if (_ready.TryDequeue(out request))
                {
                    _bytes -= request.Body.Length;
                    return true;
                }

                if (_isComplete) return false;
            }

            _changed.WaitOne(WaitMs);
        }

        return false;
    }

    /// <summary>Waits until a good part is ready, or all of it.</summary>
    public void WaitUntilFilled()
    {
        while (!ended.IsCancellationRequested)
        {
            lock (_lock)
            {
                if (_isComplete || _ready.Count >= MaxRequests / 8 || _bytes >= MaxBytes / 2) return;
            }

            Thread.Sleep(1);
        }
    }
}
