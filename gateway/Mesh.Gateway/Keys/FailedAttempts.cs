using System.Collections.Concurrent;
using System.Net;

namespace Mesh.Gateway.Keys;

/// <summary>
/// Counts wrong keys by address and minute. Past the limit an address' wrong keys cost next to nothing; right ones count all the same, because many
/// clients may share an address. Thread-safe; at most 65,536 addresses are told apart, more count as one.
/// </summary>
internal sealed class FailedAttempts(int perMinute, TimeProvider time)
{
    private const int MaxAddresses = 65_536;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<IPAddress, int> _counts = new();
    private readonly Lock _gate = new();
    private long _began = time.GetTimestamp();

    /// <summary>True when the address is past the limit, with the time until it is told in full again.</summary>
    public bool IsPast(IPAddress? address, out TimeSpan wait)
    {
        wait = Window - Roll();
        return _counts.TryGetValue(Known(address), out var count) && count >= perMinute;
    }

    /// <summary>Counts a wrong key; true for the one that reaches the limit.</summary>
    public bool Count(IPAddress? address)
    {
        Roll();
        return _counts.AddOrUpdate(Known(address), 1, static (_, count) => count == int.MaxValue ? count : count + 1) == perMinute;
    }

    private IPAddress Known(IPAddress? address) =>
        address is not null && (_counts.Count < MaxAddresses || _counts.ContainsKey(address)) ? address : IPAddress.None;

    private TimeSpan Roll()
    {
        lock (_gate)
        {
            var elapsed = time.GetElapsedTime(_began);
            if (elapsed < Window) return elapsed;
            _counts.Clear();
            _began = time.GetTimestamp();
            return TimeSpan.Zero;
        }
    }
}
