using Mesh.Core.Randomness;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Tests;

/// <summary>
/// A network that is late and loses things, between a gateway and the pools: calls and answers come late, one after the other or the other way round, and
/// some never. By a seed; off until it is switched on.
/// </summary>
internal sealed class UnreliableCalls(ulong seed) : IOutgoingGrainCallFilter
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(40);
    private readonly Lock _gate = new();
    private readonly Xoshiro256 _random = new(seed);
    private int _lost;

    /// <summary>True while it is unreliable.</summary>
    public bool IsOn { get; set; }

    /// <summary>Share of calls and of answers that get lost.</summary>
    public double LostShare { get; set; } = 0.05;

    /// <summary>Calls and answers that got lost.</summary>
    public int Lost => Volatile.Read(ref _lost);

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        if (!IsOn || context.InterfaceMethod?.DeclaringType != typeof(IPoolGrain))
        {
            await context.Invoke();
            return;
        }

        var (before, after, callIsLost, answerIsLost) = Draw();
        await Task.Delay(before);
        if (!callIsLost) await context.Invoke();
        await Task.Delay(after);
        if (!callIsLost && !answerIsLost) return;
        Interlocked.Increment(ref _lost);
        throw new TimeoutException("lost on the way");
    }

    private (TimeSpan Before, TimeSpan After, bool CallIsLost, bool AnswerIsLost) Draw()
    {
        lock (_gate) return (LongestDelay * _random.NextDouble(), LongestDelay * _random.NextDouble(), _random.NextDouble() < LostShare, _random.NextDouble() < LostShare);
    }
}
