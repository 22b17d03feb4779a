using System.Collections.Immutable;

namespace Mesh.Engine.Federation;

/// <summary>A peer as configured.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Region">Its region; no two peers share one.</param>
/// <param name="Urls">Base addresses of its federation listener, tried in turn; at least one.</param>
public sealed record PeerAddress(string Name, string Region, ImmutableArray<Uri> Urls);
