using Mesh.Core.Randomness;

namespace Mesh.Engine.Federation.Links;

/// <summary>Pauses between attempts that fail: they double up to a bound, and none is exact, so that peers which lost each other at one moment do not all come back at one. Not thread-safe.</summary>
/// <param name="first">Pause after the first failure.</param>
/// <param name="most">Longest pause.</param>
/// <param name="seed">Of the jitter.</param>
internal sealed class BackOff(TimeSpan first, TimeSpan most, ulong seed)
{
    private readonly Xoshiro256 _random = new(seed);
    private int _failures;

    /// <summary>Failures in a row.</summary>
    public int Failures => _failures;

    /// <summary>Another attempt has failed; the pause until the next, between half of the bound and all of it.</summary>
    public TimeSpan Next()
    {
        var doubled = first * Math.Pow(2, Math.Min(_failures, 16));
        if (_failures < int.MaxValue) _failures++;
        var bound = doubled < most ? doubled : most;
        return bound * (0.5 + (0.5 * _random.NextDouble()));
    }

    /// <summary>An attempt has worked.</summary>
    public void Reset() => _failures = 0;
}
