using Mesh.Core.Snapshots;

namespace Mesh.Grains.Snapshots;

/// <summary>Makes the times in a pool's state those of another clock: they travel as ages.</summary>
internal static class SnapshotClock
{
    /// <summary>With ages instead of times; one that lies ahead has a negative age.</summary>
    public static PoolSnapshot ToWire(PoolSnapshot snapshot, TimeProvider time) => Map(snapshot, timestamp => Ages.Of(timestamp, time));

    /// <summary>With times of this clock.</summary>
    public static PoolSnapshot FromWire(PoolSnapshot snapshot, TimeProvider time) => Map(snapshot, age => Ages.At(age, time));

    private static PoolSnapshot Map(PoolSnapshot snapshot, Func<long, long> convert) => snapshot with
    {
        Backends =
        [
            .. snapshot.Backends.Select(b => b with
            {
                Endpoints =
                [
                    .. b.Endpoints.Select(e => e with
                    {
                        EjectedUntil = e.EjectedUntil is { } until ? convert(until) : null,
                        LastSample = e.LastSample is { } sample ? sample with { Timestamp = convert(sample.Timestamp) } : null,
                    }),
                ],
            }),
        ],
    };
}
