using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Gateway.Drains;

/// <summary>What is drained: one endpoint, cluster or region, in one pool or in all.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Name"><c>ip:port</c>, or the name of a cluster or region.</param>
/// <param name="Pool"><c>namespace/name</c>; null for every pool.</param>
internal readonly record struct DrainTarget(DrainKind Kind, string Name, string? Pool) : IComparable<DrainTarget>
{
    /// <inheritdoc/>
    public int CompareTo(DrainTarget other)
    {
        var order = Kind.CompareTo(other.Kind);
        if (order == 0) order = string.CompareOrdinal(Name, other.Name);
        return order != 0 ? order : string.CompareOrdinal(Pool, other.Pool);
    }

    /// <summary>True when it takes this endpoint in.</summary>
    public bool Covers(PoolConfig pool, BackendConfig backend, EndpointConfig endpoint)
    {
        if (Pool is not null && Pool != pool.Id.ToString()) return false;
        return Kind switch
        {
            DrainKind.Endpoint => endpoint.Id.Address == Name,
            DrainKind.Cluster => backend.Id.Cluster == Name,
            _ => backend.Region == Name,
        };
    }

    /// <summary><c>kind name</c>, and the pool where there is one.</summary>
    public override string ToString() => $"{DrainKinds.NameOf(Kind)} {Name}{(Pool is null ? "" : $" of pool {Pool}")}";
}

/// <summary>A drain in force.</summary>
/// <param name="Target">What is drained.</param>
/// <param name="Reason">Why, 1–500 characters.</param>
/// <param name="By">Who asked: the id of the key, or the address.</param>
/// <param name="Since">When.</param>
internal sealed record Drain(DrainTarget Target, string Reason, string By, DateTimeOffset Since);

/// <summary>One thing that an operator did.</summary>
/// <param name="Time">When.</param>
/// <param name="Drained">True when a drain began or changed, false when it ended.</param>
/// <param name="Target">Of what.</param>
/// <param name="Reason">Why; may be empty at an end.</param>
/// <param name="By">Who asked.</param>
/// <param name="Forced">True when it took the last endpoints of a pool.</param>
internal sealed record DrainEvent(DateTimeOffset Time, bool Drained, DrainTarget Target, string Reason, string By, bool Forced);

/// <summary>Every drain, and what was done lately. Immutable.</summary>
/// <param name="Drains">Those in force, ordered by target, at most <see cref="MostDrains"/>.</param>
/// <param name="History">What was done, the newest first, at most <see cref="MostEvents"/>.</param>
internal sealed record DrainList(ImmutableArray<Drain> Drains, ImmutableArray<DrainEvent> History)
{
    /// <summary>Most drains at a time; a further one is refused.</summary>
    public const int MostDrains = 1000;

    /// <summary>Most events that are kept; the oldest goes first.</summary>
    public const int MostEvents = 500;

    /// <summary>Nothing drained, nothing done.</summary>
    public static DrainList Empty { get; } = new([], []);

    /// <summary>The drain of a target; null when it has none of its own.</summary>
    public Drain? Find(in DrainTarget target)
    {
        foreach (var drain in Drains)
        {
            if (drain.Target == target) return drain;
        }

        return null;
    }

    /// <summary>With a drain more, or in place of the one that the target has.</summary>
    public DrainList With(Drain drain, bool forced) => new(
        [.. Drains.Where(d => d.Target != drain.Target).Append(drain).OrderBy(d => d.Target)],
        Noted(new DrainEvent(drain.Since, true, drain.Target, drain.Reason, drain.By, forced)));

    /// <summary>Without the target's drain.</summary>
    public DrainList Without(DrainTarget target, string reason, string by, DateTimeOffset time) => new(
        [.. Drains.Where(d => d.Target != target)], Noted(new DrainEvent(time, false, target, reason, by, Forced: false)));

    private ImmutableArray<DrainEvent> Noted(DrainEvent last) => [last, .. History.Take(MostEvents - 1)];
}
