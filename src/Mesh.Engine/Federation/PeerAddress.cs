using System.Collections.Immutable;

namespace Mesh.Engine.Federation;

/// <summary>A peer as configured. Two are equal when all of it is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Region">Its region; no two peers share one.</param>
/// <param name="Urls">Base addresses of its federation listener, tried in turn; at least one.</param>
public sealed record PeerAddress(string Name, string Region, ImmutableArray<Uri> Urls)
{
    /// <inheritdoc/>
    public bool Equals(PeerAddress? other) =>
        other is not null && Name == other.Name && Region == other.Region && Urls.AsSpan().SequenceEqual(other.Urls.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Region, Urls.IsDefaultOrEmpty ? 0 : Urls.Length);
}
