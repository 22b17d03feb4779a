using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.FlowControl;

/// <summary>
/// What decides, besides the state of the pool, where a request can go. A session's key does not: where its own endpoint has no room, it
/// goes where any other does.
/// </summary>
internal readonly struct Wishes(in RouteRequest request) : IEquatable<Wishes>
{
    private readonly string? _model = request.Model;
    private readonly EndpointId _sticky = request.AffinityEndpoint;
    private readonly ImmutableArray<EndpointId> _subset = request.Subset;
    private readonly ImmutableArray<EndpointId> _excluded = request.Excluded;
    private readonly ImmutableArray<string> _excludedRegions = request.ExcludedRegions;

    public bool Equals(Wishes other) =>
        string.Equals(_model, other._model, StringComparison.Ordinal)
        && _sticky == other._sticky
        && AreEqual(_subset, other._subset)
        && AreEqual(_excluded, other._excluded)
        && (_excludedRegions.IsDefaultOrEmpty ? other._excludedRegions.IsDefaultOrEmpty : !other._excludedRegions.IsDefault && _excludedRegions.AsSpan().SequenceEqual(other._excludedRegions.AsSpan()));

    public override bool Equals(object? obj) => obj is Wishes other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_model, _sticky, HashOf(_subset), HashOf(_excluded));

    // Lists in another order ask for the same, but are rare enough to be a class of their own.
    private static bool AreEqual(ImmutableArray<EndpointId> a, ImmutableArray<EndpointId> b) =>
        a.IsDefault == b.IsDefault && (a.IsDefault || a.AsSpan().SequenceEqual(b.AsSpan()));

    private static int HashOf(ImmutableArray<EndpointId> ids)
    {
        if (ids.IsDefault) return 0;
        var hash = new HashCode();
        foreach (var id in ids) hash.Add(id);
        return hash.ToHashCode();
    }
}
