using System.Security.Cryptography;

namespace Mesh.Gateway.Hosting;

/// <summary>
/// Looks at a few small files and tells when what is in them has changed and held still for one look, so that half-written files are not
/// taken. It reads instead of trusting events and times: mounted secrets are exchanged as links. Calls come one after the other.
/// </summary>
internal sealed class FileWatch : IDisposable
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly IReadOnlyList<string> _paths;
    private readonly int _maxBytes;
    private readonly Action _changed;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private byte[] _seen;
    private byte[]? _unsettled;
    private bool _disposed;

    /// <param name="paths">Files; each may be missing for a while.</param>
    /// <param name="maxBytes">What is read of each at most.</param>
    /// <param name="changed">Called on a timer's thread after a change; must not throw.</param>
    /// <param name="time">Clock.</param>
    public FileWatch(IReadOnlyList<string> paths, int maxBytes, Action changed, TimeProvider time)
    {
        _paths = paths;
        _maxBytes = maxBytes;
        _changed = changed;
        _time = time;
        _seen = Fingerprint();
        _timer = time.CreateTimer(static s => ((FileWatch)s!).Look(), this, Interval, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer.Dispose();
        }
    }

    /// <summary>Reads a file of bounded size.</summary>
    /// <exception cref="IOException">It cannot be read or is too large; the message names it.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[] Read(string path, int maxBytes)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var content = new MemoryStream();
        Span<byte> buffer = stackalloc byte[8192];
        for (var read = file.Read(buffer); read > 0; read = file.Read(buffer))
        {
            if (content.Length + read > maxBytes) throw new IOException($"{path} is larger than {maxBytes} bytes.");
            content.Write(buffer[..read]);
        }

        return content.ToArray();
    }

    private void Look()
    {
        lock (_gate)
        {
            if (_disposed) return;
            var now = Fingerprint();
            if (now.AsSpan().SequenceEqual(_seen))
            {
                _unsettled = null;
            }
            else if (_unsettled is null || !now.AsSpan().SequenceEqual(_unsettled))
            {
                _unsettled = now;
            }
            else
            {
                _unsettled = null;
                _seen = now;
                _changed();
            }

            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    private byte[] Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in _paths)
        {
            try
            {
                hash.AppendData(Read(path, _maxBytes));
                hash.AppendData([1]);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                hash.AppendData([0]);
            }
        }

        return hash.GetHashAndReset();
    }
}
