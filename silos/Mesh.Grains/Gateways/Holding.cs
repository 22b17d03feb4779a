using Mesh.Core.Leases;

namespace Mesh.Grains.Gateways;

/// <summary>A lease that is held here, with times of the gateway's own clock instead of ages.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="MadeAt">Timestamp of the placement.</param>
/// <param name="FirstByteAt">Timestamp of the answer's beginning; of no meaning before.</param>
internal readonly record struct Holding(HeldLease Lease, long MadeAt, long FirstByteAt)
{
    /// <summary>One that is known by its ages.</summary>
    public static Holding From(in HeldLease lease, TimeProvider time) =>
        new(lease, Ages.ToTimestamp(lease.Age.Ticks, time), Ages.ToTimestamp(lease.FirstByteAge.Ticks, time));

    /// <summary>As it is to be announced now.</summary>
    public HeldLease ToHeld(TimeProvider time) => Lease with
    {
        Age = TimeSpan.FromTicks(Ages.Of(MadeAt, time)),
        FirstByteAge = TimeSpan.FromTicks(Lease.FirstByteSeen ? Ages.Of(FirstByteAt, time) : 0),
    };
}
