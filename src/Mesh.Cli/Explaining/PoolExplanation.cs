using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Effective;

namespace Mesh.Cli.Explaining;

/// <summary>Everything that holds for one pool, and why. This is also the shape of <c>mesh explain -o json</c>.</summary>
internal sealed record PoolExplanation
{
    /// <summary><c>namespace/name</c>.</summary>
    public required string Pool { get; init; }

    /// <summary>Cluster of a pool that only its own cluster's routes name; null for an import.</summary>
    public string? LocalToCluster { get; init; }

    /// <summary>Policies that are attached, in a fixed order.</summary>
    public ImmutableArray<AttachedPolicy> Policies { get; init; } = [];

    /// <summary>Settings of the whole pool without the two groups below.</summary>
    public ImmutableArray<EffectiveSetting> Settings { get; init; } = [];

    /// <summary>What happens when every backend is at target.</summary>
    public ImmutableArray<EffectiveSetting> FlowControl { get; init; } = [];

    /// <summary>How the endpoint is chosen.</summary>
    public ImmutableArray<EffectiveSetting> Scheduling { get; init; } = [];

    /// <summary>Backends ordered by id; those of one cluster where only that was asked for.</summary>
    public ImmutableArray<BackendExplanation> Backends { get; init; } = [];

    /// <summary>Order in which all backends fill, from each region.</summary>
    public ImmutableArray<FillExplanation> FillOrder { get; init; } = [];

    /// <summary>What validation found in the attached policies and in the pool's own objects.</summary>
    public ImmutableArray<Diagnostic> Findings { get; init; } = [];
}

/// <summary>A policy that is attached to the pool.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Name"><c>namespace/name</c>.</param>
/// <param name="File">File relative to the manifest directory.</param>
/// <param name="Line">Line of its name.</param>
internal sealed record AttachedPolicy(string Kind, string Name, string File, int Line);

/// <summary>What holds for one backend.</summary>
internal sealed record BackendExplanation
{
    /// <summary><c>cluster/zone:port</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Cluster.</summary>
    public required string Cluster { get; init; }

    /// <summary>Region.</summary>
    public required string Region { get; init; }

    /// <summary>Labels that scopes select by.</summary>
    public required ImmutableSortedDictionary<string, string> Labels { get; init; }

    /// <summary>N of the capacity formula.</summary>
    public int Endpoints { get; init; }

    /// <summary>Scope that holds; null where none does.</summary>
    public SettingOrigin? Scope { get; init; }

    /// <summary>Number of scopes of the attached policy.</summary>
    public int ScopesOfPolicy { get; init; }

    /// <summary>Settings with their origin.</summary>
    public ImmutableArray<EffectiveSetting> Settings { get; init; } = [];

    /// <summary>Targets by formula; empty: none is set.</summary>
    public ImmutableArray<CapacityTarget> Targets { get; init; } = [];
}

/// <summary>The order in which backends fill, as seen from one place.</summary>
/// <param name="Region">Region of the gateway.</param>
/// <param name="Zone">Its zone, where the algorithm asks for it; else null.</param>
/// <param name="Tiers">Backends tier by tier.</param>
internal sealed record FillExplanation(string Region, string? Zone, ImmutableArray<ImmutableArray<FillPlace>> Tiers);

/// <summary>A backend's place in the order.</summary>
/// <param name="Backend"><c>cluster/zone:port</c>.</param>
/// <param name="Region">Its region.</param>
/// <param name="Preference">PREFERRED is filled before DEFAULT, however far.</param>
/// <param name="Drained">Its capacity is scaled to 0%: it gets nothing.</param>
internal sealed record FillPlace(string Backend, string Region, BackendPreference Preference, bool Drained);
